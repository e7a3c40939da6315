#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "cli/aliyun_import.h"
#include "cli/live_file.h"
#include "cli/terminal.h"
#include "cli/verbs.h"
#include "config/config.h"

namespace tribecast::cli {
namespace {

namespace aliyun = control::aliyun;

Unexpected<control::Failure> bad(const std::string& file, const std::string& what) {
  return {{Exit::bad_config, file + ": " + what}};
}

Result<ImportFile, control::Failure> read_import(const std::string& name) {
  std::ifstream in(name, std::ios::binary);
  if (!in) return bad(name, std::string("cannot be read: ") + std::strerror(errno));
  std::string text(aliyun::kMaxBytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (in.bad()) return bad(name, "cannot be read");
  text.resize(static_cast<std::size_t>(in.gcount()));
  auto file = aliyun::read(text);
  if (!file) return bad(name, file.error());
  return ImportFile{name, std::move(*file)};
}

}  // namespace

Exit run_import_aliyun(const Invocation& in) {
  std::vector<ImportFile> files;
  for (const std::string& name : in.arguments) {
    auto file = read_import(name);
    if (!file) return complain(file.error());
    files.push_back(std::move(*file));
  }
  const Import import = import_aliyun(files);
  for (const std::string& warning : import.warnings) {
    std::fprintf(stderr, "tribecast: warning: %s\n", warning.c_str());
  }
  const std::string output = in.text("output", "");
  const auto outcome = config::parse({{output.empty() ? "(output)" : output, import.text}});
  std::fputs(config::to_text(outcome.diagnostics).c_str(), stderr);
  if (!outcome.config) return Exit::bad_config;
  if (output.empty()) {
    print(import.text);
    return Exit::good;
  }
  const auto written = FileChange::write(output, import.text);
  return written ? Exit::good : complain(written.error());
}

}  // namespace tribecast::cli
