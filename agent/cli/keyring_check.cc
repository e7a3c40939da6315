#include "cli/keyring_check.h"

#include <algorithm>
#include <iterator>

#include "config/keyring_file.h"

namespace tribecast::cli {

void check_keyring(const std::string& path, config::Diagnostics& findings) {
  config::KeyringFile file = config::load_keyring(path);
  if (file.denied) {
    config::Diagnostic& denied = file.findings.back();
    denied.severity = config::Severity::warning;
    denied.what = "the keyring is not readable for this user and was not checked";
    denied.fix = "run the check as root";
  }
  std::ranges::move(file.findings, std::back_inserter(findings));
}

}  // namespace tribecast::cli
