"""Two clouds in one process, for the tests: metadata services with tokens and roles, and APIs that
play recorded answers. Arguments: ADDRESS:PORT FOLDER_OF_THE_ANSWERS FILE; the word in FILE, read for
each question, is what the APIs do: `good`, `empty`, `denied`, `slow`."""
import http.server
import pathlib
import re
import sys
import time
import urllib.parse

ANSWERS = pathlib.Path(sys.argv[2])
AWS = {
    "placement/region": "eu-west-1",
    "services/domain": "amazonaws.com",
    "iam/security-credentials/": "relay-role\n",
    "iam/security-credentials/relay-role":
        '{"Code": "Success", "AccessKeyId": "AKID", "SecretAccessKey": "secret", "Token": "session"}',
}
ALIYUN = {
    "region-id": "cn-hangzhou",
    "ram/security-credentials/": "RelayRole",
    "ram/security-credentials/RelayRole":
        '{"Code": "Success", "AccessKeyId": "STS.id", "AccessKeySecret": "secret", "SecurityToken": "session"}',
}
EMPTY = {"ec2": '<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
                "<reservationSet/></DescribeInstancesResponse>",
         "ecs": '{"Instances": {"Instance": []}, "NextToken": ""}'}


class Handler(http.server.BaseHTTPRequestHandler):
    def reply(self, code, text):
        body = text.encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        lifetimes = [self.headers.get(f"X-{cloud}-metadata-token-ttl-seconds")
                     for cloud in ("aws-ec2", "aliyun-ecs")]
        given = self.path == "/latest/api/token" and any(lifetimes)
        self.reply(200 if given else 400, "token-" + ("aws" if lifetimes[0] else "aliyun"))

    def metadata(self, path):
        table = (AWS if self.headers.get("X-aws-ec2-metadata-token") == "token-aws" else
                 ALIYUN if self.headers.get("X-aliyun-ecs-metadata-token") == "token-aliyun" else None)
        if table is None:
            return self.reply(401, "no token")
        return self.reply(200 if path in table else 404, table.get(path, "not found"))

    def answer(self, api, page, name):
        mood = pathlib.Path(sys.argv[3]).read_text().strip()
        if mood == "slow":
            time.sleep(60)
        if mood == "denied":
            return self.reply(403, "UnauthorizedOperation:\n you may not")
        return self.reply(200, EMPTY[api] if mood == "empty" else
                          (ANSWERS / name.format(2 if page else 1)).read_text())

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        if url.path.startswith("/latest/meta-data/"):
            return self.metadata(url.path[len("/latest/meta-data/"):])
        fields = dict(urllib.parse.parse_qsl(url.query))
        good = (fields.get("AccessKeyId") == "STS.id" and fields.get("SecurityToken") == "session"
                and fields.get("Signature") and fields.get("RegionId") == "cn-hangzhou"
                and fields.get("Tag.1.Key") == "cluster" and fields.get("Tag.1.Value") == "shop")
        if not good:
            return self.reply(400, "SignatureDoesNotMatch")
        return self.answer("ecs", fields.get("NextToken"), "ecs-{}.json")

    def do_POST(self):
        fields = dict(urllib.parse.parse_qsl(
            self.rfile.read(int(self.headers["Content-Length"])).decode()))
        shape = (r"AWS4-HMAC-SHA256 Credential=AKID/\d{8}/eu-west-1/ec2/aws4_request, "
                 r"SignedHeaders=\S+;x-amz-security-token, Signature=[0-9a-f]{64}")
        good = (re.fullmatch(shape, self.headers.get("Authorization", ""))
                and self.headers.get("x-amz-security-token") == "session"
                and fields.get("Filter.1.Name") == "tag:cluster"
                and fields.get("Filter.1.Value.1") == "shop")
        if not good:
            return self.reply(401, "AuthFailure")
        return self.answer("ec2", fields.get("NextToken"), "ec2-{}.xml")


host, port = sys.argv[1].split(":")
server = http.server.ThreadingHTTPServer((host, int(port)), Handler)
print("ready", flush=True)
server.serve_forever()
