"""HTTP as a visitor does it: cookies, requests sent from a given namespace."""

import base64
import http.client
import socket
import urllib.parse

import network


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.text = response.read().decode(errors="replace")
        self.location = response.getheader("Location")
        self.set_cookies = [_set_cookie(header) for header in response.headers.get_all("Set-Cookie", [])]

    @property
    def cookie(self):
        """That of the session, if it sets one."""
        return next((value for name, value, _ in self.set_cookies if name == "JSESSIONID"), None)

    def fields(self):
        """The body's lines name=value as {name: [values]}; a line without '=' has no values."""
        fields = {}
        for line in self.text.splitlines():
            name, equals, value = line.partition("=")
            fields.setdefault(name, []).extend([value] if equals else [])
        return fields


class _Connection(http.client.HTTPConnection):
    def __init__(self, namespace, host, port, timeout):
        super().__init__(host, port, timeout=timeout)
        self._namespace = namespace

    def connect(self):
        with network.inside(self._namespace):
            self.sock = socket.create_connection((self.host, self.port), self.timeout)


def get(namespace, url, cookie=None, timeout=30, headers=None, form=None):
    """With a form it is a POST."""
    parts = urllib.parse.urlsplit(url)
    connection = _Connection(namespace, parts.hostname, parts.port, timeout)
    headers = dict(headers or {}, **({"Cookie": f"JSESSIONID={cookie}"} if cookie else {}))
    body = urllib.parse.urlencode(form) if form else None
    if form:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    try:
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request("POST" if form else "GET", path, body, headers)
        return Reply(connection.getresponse())
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    finally:
        connection.close()


def _set_cookie(header):
    """Its name, value and path."""
    first, *rest = [part.strip().partition("=") for part in header.split(";")]
    path = next((value for name, _, value in rest if name.lower() == "path"), "/")
    return first[0], first[2], path


class Visitor:
    """Keeps the session cookie from one request to the next, whichever node answers."""

    def __init__(self, namespace):
        self._namespace = namespace
        self.session = None

    def visit(self, url, **parameters):
        """Returns the attributes of the session, {} when it has none, None when there is no session."""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        reply = get(self._namespace, url + query, self.session)
        if reply.status != 200:
            raise OSError(f"{url}: status {reply.status}")
        self.session = reply.cookie or self.session
        fields = reply.fields()
        if fields.get("session") != [""] and "session" not in fields:
            raise OSError(f"{url}: not the test application's answer: {reply.text[:200]!r}")
        if fields["session"] == [""]:
            return None
        return {name.removeprefix("attribute."): values[0] for name, values in fields.items()
                if name.startswith("attribute.")}


class Person:
    """Keeps each cookie for its virtual host and path, whichever node answers, and may log in."""

    def __init__(self, namespace, host="localhost"):
        self._namespace = namespace
        self._host = host
        self.cookies = {}  # (path, name): value

    def cookie(self, name, path="/"):
        return self.cookies.get((path, name))

    def twin(self, *names):
        """Somebody who has the same cookies now, or those of these names alone."""
        twin = Person(self._namespace, self._host)
        twin.cookies = {key: value for key, value in self.cookies.items() if not names or key[1] in names}
        return twin

    def get(self, url, password=None, form=None, **parameters):
        """password: NAME:PASSWORD, as BASIC sends it."""
        path = urllib.parse.urlsplit(url).path
        sent = [f"{name}={value}" for (where, name), value in self.cookies.items()
                if path == where or path.startswith(where.rstrip("/") + "/")]
        headers = {"Host": self._host, **({"Cookie": "; ".join(sent)} if sent else {})}
        if password:
            headers["Authorization"] = "Basic " + base64.b64encode(password.encode()).decode()
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        reply = get(self._namespace, url + query, headers=headers, form=form)
        for name, value, where in reply.set_cookies:
            self.cookies[where, name] = value
        return reply

    def sees(self, url, **parameters):
        """What session.jsp says: {"user": ..., attribute: ...}; None without a session; a status when it is not that page."""
        reply = self.get(url, **parameters)
        fields = reply.fields()
        if reply.status != 200 or "session" not in fields:
            return "login page" if "login" in fields else reply.status
        if fields["session"] == [""]:
            return None
        return {name.removeprefix("attribute."): values[0] for name, values in fields.items() if name != "session"}
