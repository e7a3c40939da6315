// Any bytes as a file of the vendor's multicast proxy: bounded, and what comes out is configuration
// text that parses (more groups or peers than we allow apart), with nothing slipped in.
#include "base/check.h"
#include "base/utf8.h"
#include "cli/aliyun_import.h"
#include "config/config.h"

using namespace tribecast;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  auto file = control::aliyun::read(text);
  if (!file) {
    TC_CHECK(!file.error().empty() && first_unprintable(file.error()) == std::string::npos);
    return 0;
  }
  const auto import = cli::import_aliyun({{"f", *file}, {"g", *file}});
  for (const std::string& warning : import.warnings) {
    TC_CHECK(!warning.empty() && first_unprintable(warning) == std::string::npos);
  }
  const auto outcome = config::parse({{"i", import.text}});
  if (!outcome.config) {
    for (const config::Diagnostic& d : outcome.diagnostics) {
      TC_CHECK(d.what.starts_with("more than ") || d.what.ends_with("are not shown") ||
               d.what.starts_with("the line is longer "));
    }
    return 0;
  }
  TC_CHECK(outcome.config->node.name.empty());
  TC_CHECK(outcome.config->security.keyring == "/etc/tribecast/cluster.keys");
  return 0;
}
