#include "cli/keyring_check.h"

#include <algorithm>
#include <iterator>

#include "config/keyring_file.h"

namespace tribecast::cli {

namespace {

void add_findings(config::SecretFile&& file, const std::string& name,
                  config::Diagnostics& findings) {
  if (file.denied) {
    config::Diagnostic& denied = file.findings.back();
    denied.severity = config::Severity::warning;
    denied.what = "the " + name + " is not readable for this user and was not checked";
    denied.fix = "run the check as root";
  }
  std::ranges::move(file.findings, std::back_inserter(findings));
}

}  // namespace

void check_keyring(const std::string& path, config::Diagnostics& findings) {
  add_findings(config::load_keyring(path), "keyring", findings);
}

void check_private_key(const std::string& path, config::Diagnostics& findings) {
  add_findings(config::load_private_key(path), "private key", findings);
}

}  // namespace tribecast::cli
