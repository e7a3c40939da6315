"""How wide the status page is on a phone: Chromium, told over its pipe. usage: phone.py PROFILE URL

Prints `WIDTH WIDTH_OF_ALL` of the page once the matrix is there, and what sticks out of the window without scrolling in a
box of its own."""
import json
import os
import subprocess
import sys
import time

WIDTH = 390
OUTSIDE = """(() => {
  const boxed = (e) => e && (getComputedStyle(e).overflowX !== "visible" || boxed(e.parentElement));
  const out = [...document.body.querySelectorAll("*")].filter((e) =>
    e.getBoundingClientRect().right > innerWidth + 1 && !boxed(e.parentElement));
  return [document.querySelectorAll("#matrix td").length, innerWidth, document.documentElement.scrollWidth,
    out.map((e) => e.tagName + "#" + e.id)];
})()"""


class Browser:
    def __init__(self, profile):
        (self.hears, self.out), (self.read, self.says) = os.pipe(), os.pipe()
        # Chromium reads descriptor 3 and writes 4.
        plumb = f"exec 3<&{self.hears} 4>&{self.says}; exec \"$@\""
        self.process = subprocess.Popen(
            ["bash", "-c", plumb, "bash", "chromium", "--headless=new", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(self.hears, self.says), stderr=subprocess.DEVNULL)
        os.close(self.hears)
        os.close(self.says)
        self.answers = os.fdopen(self.read, "rb")
        self.number, self.session = 0, None

    def tell(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = json.loads(self._message())
            if answer.get("id") == self.number:
                return answer["result"]

    def _message(self):
        text = b""
        while (byte := self.answers.read(1)) != b"\0":
            if not byte:
                raise EOFError("Chromium has ended")
            text += byte
        return text


def main(profile, url):
    browser = Browser(profile)
    try:
        page = browser.tell("Target.createTarget", url="about:blank")["targetId"]
        browser.session = browser.tell("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        browser.tell("Emulation.setDeviceMetricsOverride", width=WIDTH, height=844, deviceScaleFactor=2, mobile=True)
        browser.tell("Page.navigate", url=url)
        cells = 0
        while not cells:
            time.sleep(0.2)
            found = browser.tell("Runtime.evaluate", expression=OUTSIDE, returnByValue=True)["result"].get("value")
            cells, width, whole, outside = found or (0, 0, 0, [])
        print(width, whole, *outside)
    finally:
        browser.process.kill()
        browser.process.wait()


main(*sys.argv[1:])
