#include <algorithm>

#include "base/hex.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/web_page.h"
#include "cli/web_server.h"
#include "control/json.h"
#include "seal/keyring.h"

namespace tribecast::cli {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:8045";
constexpr std::size_t kTokenBytes = 16;

// In the page's address: another user of this host can connect, but does not know it.
std::string new_token() {
  Buffer bytes(kTokenBytes);
  seal::system_random()(bytes);
  return to_hex(bytes);
}

// Status and events in one object; empty while the agent does not answer.
std::string page_data(const Client& client) {
  const auto status = client.status();
  const auto events = client.events();
  if (!status || !events) return {};
  std::string list;
  for (const control::Event& event : events->events) {
    list += (list.empty() ? "" : ",") + control::event_json(event, events->instance, timestamp());
  }
  return "{\"status\":" + control::status_json(*status, timestamp()) + ",\"events\":[" + list +
         "]}";
}

std::string refuse(int code) { return control::http_response(code, "text/plain", "?\n", false); }

class Page {
 public:
  Page(Client client, const std::string& token)
      : client_(std::move(client)), root_("/" + token + "/") {}

  [[nodiscard]] const std::string& root() const { return root_; }

  [[nodiscard]] std::string answer(const control::HttpRequest& request) const {
    const bool head_only = request.method == "HEAD";
    if (request.method != "GET" && !head_only) return refuse(405);
    if (!control::is_loopback_host(request.host)) return refuse(403);
    const std::string path = request.target.substr(0, request.target.find('?'));
    if (!path.starts_with(root_)) return refuse(404);
    const std::string name = path.substr(root_.size());
    if (name == "data") {
      const std::string data = page_data(client_);
      if (data.empty()) return refuse(503);
      return control::http_response(200, "application/json", data, head_only);
    }
    const auto files = web_files();
    const auto file = std::ranges::find(files, name, &WebFile::name);
    if (file == files.end()) return refuse(404);
    return control::http_response(200, file->type, file->content, head_only);
  }

 private:
  Client client_;
  std::string root_;
};

}  // namespace

Exit run_web(const Invocation& in) {
  const std::string listen = in.text("listen", kDefaultListen);
  const auto at = Endpoint::parse(listen);
  if (!at || !at->address.is_loopback()) {
    return complain_usage(
        {"--listen: '" + listen + "' is no address of loopback with a port, as " + kDefaultListen,
         "from elsewhere: ssh -L 8045:127.0.0.1:8045 HOST"});
  }
  if (!seal::initialise()) return complain({Exit::critical, "there is no source of random bytes"});
  const Client client = client_of(in);
  if (const auto status = client.status(); !status) return complain(status.error());
  const auto server = WebServer::open(*at);
  if (!server) return complain(server.error());
  const Page page(client, new_token());
  const std::string url = "http://" + (*server)->local().to_string() + page.root();
  if (!print(url + "\nuntil interrupted; from elsewhere: ssh -L 8045:" +
             (*server)->local().to_string() + " HOST\n")) {
    return Exit::good;
  }
  (*server)->run([&page](const control::HttpRequest& request) { return page.answer(request); });
  return Exit::critical;
}

}  // namespace tribecast::cli
