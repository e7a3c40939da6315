#include <algorithm>
#include <chrono>
#include <future>

#include "base/hex.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "cli/web_page.h"
#include "cli/web_server.h"
#include "control/cluster.h"
#include "control/json.h"
#include "doctor/cluster.h"
#include "seal/keyring.h"

namespace tribecast::cli {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:8045";
constexpr std::size_t kTokenBytes = 16;
// However many pages ask; less than the page's own interval, so that it never gets the last one.
constexpr Duration kRollCallEvery = seconds(8);

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

// Who hears whom, as all agents say that this one can ask; or why they were not asked.
std::string cluster_data(const Client& client) {
  const auto agents = client.roll_call();
  const std::string data =
      agents ? control::matrix_json(doctor::cluster_of(doctor::asked_agents(*agents)), timestamp())
             : control::matrix_json(agents.error(), timestamp());
  return control::http_response(200, "application/json", data, false);
}

std::string refuse(int code) { return control::http_response(code, "text/plain", "?\n", false); }

class Page {
 public:
  Page(Client client, const std::string& token)
      : client_(std::move(client)), root_("/" + token + "/") {}

  [[nodiscard]] const std::string& root() const { return root_; }

  [[nodiscard]] WebServer::Response answer(const control::HttpRequest& request) {
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
    if (name == "cluster") return head_only ? WebServer::Response(refuse(405)) : cluster();
    const auto files = web_files();
    const auto file = std::ranges::find(files, name, &WebFile::name);
    if (file == files.end()) return refuse(404);
    return control::http_response(200, file->type, file->content, head_only);
  }

 private:
  using Clock = std::chrono::steady_clock;

  // A roll call takes seconds and makes every agent look: one at a time, and not one a request.
  std::shared_future<std::string> cluster() {
    const bool going_on =
        cluster_.valid() && cluster_.wait_for(Duration::zero()) != std::future_status::ready;
    if (going_on || (cluster_.valid() && Clock::now() < asked_ + kRollCallEvery)) return cluster_;
    asked_ = Clock::now();
    cluster_ = std::async(std::launch::async, cluster_data, client_).share();
    return cluster_;
  }

  Client client_;
  std::string root_;
  std::shared_future<std::string> cluster_;
  Clock::time_point asked_;
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
  Page page(client, new_token());
  const std::string url = "http://" + (*server)->local().to_string() + page.root();
  if (!print(url + "\nuntil interrupted; from elsewhere: ssh -L 8045:" +
             (*server)->local().to_string() + " HOST\n")) {
    return Exit::good;
  }
  (*server)->run([&page](const control::HttpRequest& request) { return page.answer(request); });
  return Exit::critical;
}

}  // namespace tribecast::cli
