"""HTTP as a visitor does it: one cookie, requests sent from a given namespace."""

import http.client
import socket
import urllib.parse

import network


class Reply:
    def __init__(self, status, text, cookie):
        self.status = status
        self.text = text
        self.cookie = cookie

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


def get(namespace, url, cookie=None, timeout=30):
    parts = urllib.parse.urlsplit(url)
    connection = _Connection(namespace, parts.hostname, parts.port, timeout)
    try:
        path = parts.path + ("?" + parts.query if parts.query else "")
        connection.request("GET", path, headers={"Cookie": f"JSESSIONID={cookie}"} if cookie else {})
        response = connection.getresponse()
        text = response.read().decode(errors="replace")
        return Reply(response.status, text, _session_cookie(response))
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error
    finally:
        connection.close()


def _session_cookie(response):
    for header in response.headers.get_all("Set-Cookie", []):
        name, _, value = header.partition(";")[0].partition("=")
        if name == "JSESSIONID":
            return value
    return None


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
