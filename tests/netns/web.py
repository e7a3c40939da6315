"""What the status page's server answers. usage: web.py URL [EXPRESSION on what the agents tell]"""
import http.client
import json
import select
import socket
import sys
import urllib.parse

url = urllib.parse.urlsplit(sys.argv[1])


def ask(path, method="GET", host=None):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    connection.putheader("Host", host or url.netloc)
    connection.endheaders()
    reply = connection.getresponse()
    body = reply.read()
    return reply.status, reply.headers, body


def expect(code, *args, **names):
    status, headers, body = ask(*args, **names)
    assert status == code, (args, names, status, code)
    return headers, body


if len(sys.argv) > 2:
    told = json.loads(expect(200, url.path + "cluster")[1])["agents"]
    sys.exit(0 if eval(sys.argv[2], {"a": {agent["name"]: agent for agent in told}}) else 1)  # pylint: disable=eval-used

headers, page = expect(200, url.path)
assert b"<title>tribecast</title>" in page
assert "default-src 'none'" in headers["Content-Security-Policy"] and headers["Cache-Control"] == "no-store"
expect(200, url.path + "?lang=zh")
expect(200, url.path, host=f"localhost:{url.port}")
assert b"fetch" in expect(200, url.path + "app.js")[1]
assert expect(200, url.path + "style.css")[0]["Content-Type"].startswith("text/css")
assert expect(200, url.path, method="HEAD")[1] == b""
data = json.loads(expect(200, url.path + "data")[1])
assert data["status"]["schema"] == "tribecast.status/1" and data["events"][0]["id"] == "ready"
# A roll call that takes long: others are answered meanwhile, and who asks again gets the same.
asked = [socket.create_connection((url.hostname, url.port), timeout=20) for _ in range(2)]
for s in asked:
    s.sendall(f"GET {url.path}cluster HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n".encode())
meanwhile = 0
while not select.select(asked, [], [], 0)[0]:
    expect(200, url.path + "data")
    meanwhile += 1
assert meanwhile > 1, meanwhile
replies = [b"".join(iter(lambda s=s: s.recv(65536), b"")).split(b"\r\n\r\n")[1] for s in asked]
assert replies[0] == replies[1] == expect(200, url.path + "cluster")[1]
cluster = json.loads(replies[0])
assert cluster["schema"] == "tribecast.cluster/1" and [a["name"] for a in cluster["agents"]] == ["a", "b", "c", "d"]
assert [a["answer"] for a in cluster["agents"]] == ["whole", "whole", "no_answer", "no_session"]
assert cluster["agents"][0]["sees"][0] is None and cluster["agents"][2]["sees"] is None
assert cluster["agents"][1]["sees"][0]["state"] == "up" and cluster["agents"][1]["sees"][0]["rtt_seconds"] > 0
expect(405, url.path + "cluster", method="HEAD")
# Without the page's own address there is nothing, nor by another name, nor with another method.
for path in ("/", "/data", "/0123456789abcdef0123456789abcdef/", url.path[:-1], url.path + "../data", url.path + "x"):
    expect(404, path)
expect(403, url.path, host="evil.example")
expect(403, url.path + "data", host=f"evil.example:{url.port}")
expect(405, url.path, method="POST")
expect(400, "x")
# Silent and half requests hold nobody up; a head that is too long is refused.
silent = [socket.create_connection((url.hostname, url.port)) for _ in range(40)]
for s in silent[:10]:
    try:
        s.sendall(b"GET / HT")
    except OSError:
        pass
expect(200, url.path)
with socket.create_connection((url.hostname, url.port), timeout=20) as s:
    s.sendall(b"GET / HTTP/1.1\r\nX: " + b"y" * 9000)
    assert b" 431 " in s.recv(100)
for s in silent:
    s.close()
expect(200, url.path)
