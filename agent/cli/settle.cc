#include "cli/settle.h"

namespace tribecast::cli {

using control::Exit;
using control::Failure;

Result<std::string, Failure> settle(const Client& client, bool running, const FileChange& change) {
  if (!running) {
    change.keep();
    return std::string();
  }
  auto text = client.text(control::Verb::reload);
  if (text) {
    change.keep();
    return text;
  }
  Failure failure = text.error();
  if (failure.code == Exit::unreachable) {
    failure.error =
        "the file is changed, but whether the agent has read it is not known; see: "
        "tribecast config diff\n" +
        failure.error;
    change.keep();
    return Unexpected<Failure>{failure};
  }
  if (const auto back = change.put_back(); !back) failure.error += "\n" + back.error().error;
  failure.error = "the reload failed, nothing was changed\n" + failure.error;
  return Unexpected<Failure>{failure};
}

}  // namespace tribecast::cli
