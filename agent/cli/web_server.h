// Answers browsers on this host, one request a connection. One thread, and no waiting for answers
// that take long.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <variant>

#include "base/address.h"
#include "base/result.h"
#include "base/time.h"
#include "cli/descriptor.h"
#include "control/http.h"
#include "control/reply.h"

namespace tribecast::cli {

class WebServer {
 public:
  // The whole response; one that takes long comes later, and others are answered meanwhile.
  using Response = std::variant<std::string, std::shared_future<std::string>>;
  using Answer = std::function<Response(const control::HttpRequest&)>;

  static constexpr std::size_t kMaxConnections = 32;  // the oldest goes
  static constexpr Duration kPatience = seconds(10);  // for a request to come, and an answer to go

  // On an address of loopback.
  static Result<std::unique_ptr<WebServer>, control::Failure> open(const Endpoint& at);
  [[nodiscard]] const Endpoint& local() const { return local_; }

  // Until the process is ended.
  void run(const Answer& answer);

 private:
  WebServer(int listener, const Endpoint& local) : listener_(listener), local_(local) {}

  Descriptor listener_;
  Endpoint local_;
};

}  // namespace tribecast::cli
