"""The web servers that stand in front of Tomcats, and the visitors who come through them."""

import os
import threading
import time

from browser import Visitor
from process import Process, eventually

PORT = 80

NGINX = """daemon off;
user nobody nogroup;
pid {directory}/nginx.pid;
error_log {directory}/nginx-error.log;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/nginx-body;
  proxy_temp_path {directory}/nginx-proxy;
  fastcgi_temp_path {directory}/nginx-fastcgi;
  uwsgi_temp_path {directory}/nginx-uwsgi;
  scgi_temp_path {directory}/nginx-scgi;
  upstream tomcats {{
{servers}
  }}
  server {{
    listen {port};
    location / {{ proxy_pass http://tomcats; proxy_set_header Host $host; {location} }}
  }}
}}
"""

HTTPD = """ServerRoot {directory}
ServerName front
PidFile {directory}/httpd.pid
DefaultRuntimeDir {directory}
ErrorLog {directory}/httpd-error.log
User nobody
Group nogroup
Listen {port}
{modules}
<Proxy balancer://tomcats>
{servers}
  ProxySet lbmethod=byrequests {stickiness}
</Proxy>
<Location "/">
  Require all granted
</Location>
ProxyPass / balancer://tomcats/
"""
HTTPD_MODULES = "mpm_event authz_core proxy proxy_ajp proxy_balancer lbmethod_byrequests slotmem_shm"


def nginx(host, directory, tomcats, server="", location=""):
    """Weighted round robin: every request of a visitor may go to another node. What is more in `server` and `location`."""
    servers = "\n".join(f"    server {tomcat.host.address}:{tomcat.http_port} weight={weight} {server};"
                        for weight, tomcat in enumerate(tomcats, start=1))
    return _Front(host, directory / "nginx.conf",
                  NGINX.format(directory=directory, servers=servers, port=PORT, location=location),
                  lambda config: ["nginx", "-e", directory / "nginx-error.log", "-c", config])


def httpd(host, directory, tomcats, sticky):
    """mod_proxy_balancer over AJP; sticky: a visitor stays with the node whose route the session id ends with."""
    servers = "\n".join(f"  BalancerMember ajp://{tomcat.host.address}:{tomcat.ajp_port} route={tomcat.name} retry=1"
                        for tomcat in tomcats)
    modules = "\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so"
                        for name in HTTPD_MODULES.split())
    text = HTTPD.format(directory=directory, port=PORT, modules=modules, servers=servers,
                        stickiness="stickysession=JSESSIONID" if sticky else "")
    return _Front(host, directory / f"httpd-{'sticky' if sticky else 'free'}.conf", text,
                  lambda config: ["apache2", "-f", config, "-DFOREGROUND"])


def missing(program):
    return not any(os.access(f"{directory}/{program}", os.X_OK) for directory in ("/usr/sbin", "/usr/bin"))


class _Front:
    def __init__(self, host, config, text, argv):
        config.write_text(text)
        self.host = host
        self.url = f"http://{host.address}:{PORT}/app/counter.jsp"
        self.process = Process(host, argv(config), config.with_suffix(".log"))

    def start(self):
        self.process.start()
        eventually(f"{self.process.log} answers", self._answers, timeout=30)

    def _answers(self):
        try:
            Visitor(self.host.reached_from).visit(self.url)
            return True
        except OSError:
            return False


class Crowd:
    """Visitors who each keep adding one to a counter in their session, without a pause, until told to leave."""

    def __init__(self, front, visitors=6, settle=0):
        """settle: how long each waits after his first request, in seconds."""
        self.requests = 0
        self.failed = []   # what went wrong, one line for each request without an answer
        self.lost = []     # one line for each answer that had forgotten the session
        self.stale = []    # one line for each answer that had forgotten the last count alone
        self.written = {}  # the count that was answered last, by session
        self._settle = settle
        self._front = front
        self._leaving = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._visit, daemon=True) for _ in range(visitors)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._leaving.set()
        for thread in self._threads:
            thread.join()

    def carry_on(self, more):
        """Returns when that many more requests were made."""
        goal = self.requests + more
        eventually(f"{more} more requests", lambda: self.requests >= goal, timeout=120)

    def _visit(self):
        visitor = Visitor(self._front.host.reached_from)
        visitor.visit(self._front.url)
        last = self.written[visitor.session] = 1
        time.sleep(self._settle)
        while not self._leaving.is_set():
            last = self._one_more(visitor, last)
            time.sleep(0.005)

    def _one_more(self, visitor, last):
        before = visitor.session
        try:
            seen = visitor.visit(self._front.url)
        except OSError as error:
            with self._lock:
                self.failed.append(str(error))
            return last
        # A front may repeat a request whose answer a dying node did not send: then the count is one ahead.
        count = int(seen["count"])
        with self._lock:
            self.requests += 1
            self.written[visitor.session] = count
            if count <= last:
                forgotten = self.stale if visitor.session == before else self.lost
                forgotten.append(f"session {before}: counted {last}, then {count} (now {visitor.session})")
        return count
