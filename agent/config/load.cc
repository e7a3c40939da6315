// The only file of this module that touches the system: reads files and directories, and asks for
// the host name.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include "config/config.h"
#include "config/values.h"

namespace tribecast::config {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFiles = 2048;

void check_writers(const std::string& file, mode_t mode, Diagnostics& findings) {
  if ((mode & S_IWOTH) == 0) return;
  Diagnostic d =
      finding(file, "the file can be written by everybody on this host", "chmod o-w " + file);
  d.severity = Severity::warning;
  d.why = "who changes it decides where the cluster's sessions go";
  findings.push_back(std::move(d));
}

// Empty with a finding when the file cannot be read.
std::optional<std::string> read_file(const std::string& file, Diagnostics& findings) {
  struct stat info {};
  if (stat(file.c_str(), &info) != 0) {
    findings.push_back(finding(file, std::string("cannot be read: ") + std::strerror(errno)));
    return std::nullopt;
  }
  if (!S_ISREG(info.st_mode)) {
    findings.push_back(finding(file, "cannot be read: it is no file"));
    return std::nullopt;
  }
  std::ifstream in(file, std::ios::binary);
  if (!in) {
    findings.push_back(finding(file, std::string("cannot be read: ") + std::strerror(errno)));
    return std::nullopt;
  }
  check_writers(file, info.st_mode, findings);
  // Piece by piece: there may be a thousand files, and room for the largest one in each were 1 GiB.
  std::string text;
  std::array<char, 4096> piece{};
  while (in && text.size() <= kMaxFileBytes) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (text.size() <= kMaxFileBytes) return text;
  findings.push_back(finding(file, "larger than 1 MiB", "split it into files of peers.d"));
  return std::nullopt;
}

// The *.conf files of a directory in order of name; none when it does not exist.
std::vector<std::string> files_of(const fs::path& directory, Diagnostics& findings) {
  std::vector<std::string> files;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.ends_with(".conf") && !name.starts_with('.')) files.push_back(it->path().string());
    if (files.size() > kMaxFiles) {
      findings.push_back(finding(directory.string(), "more than 2048 files"));
      break;
    }
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    findings.push_back(finding(directory.string(), "cannot be read: " + error.message()));
  }
  std::ranges::sort(files);
  return files;
}

// Who changes what a source of peers reads or runs decides the same. What is not there may come.
void check_sources(const Config& config, Diagnostics& findings) {
  for (const Discovery& discovery : config.discoveries) {
    if (discovery.kind == SourceKind::dns) continue;
    const std::string file =
        discovery.kind == SourceKind::file ? discovery.source : to_words(discovery.source).front();
    struct stat info {};
    if (stat(file.c_str(), &info) == 0) check_writers(file, info.st_mode, findings);
  }
}

std::string host_name() {
  std::array<char, HOST_NAME_MAX + 1> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

}  // namespace

Files read_files(const std::string& path) {
  Files all;
  std::vector<std::string> files = {path};
  const fs::path beside = fs::path(path).parent_path();
  for (const char* directory : {"peers.d", "conf.d"}) {
    std::ranges::move(files_of(beside / directory, all.unreadable), std::back_inserter(files));
  }
  for (const std::string& file : files) {
    if (auto text = read_file(file, all.unreadable))
      all.sources.push_back({file, std::move(*text)});
  }
  return all;
}

Files read_one_file(const std::string& path) {
  Files one;
  if (auto text = read_file(path, one.unreadable)) one.sources.push_back({path, std::move(*text)});
  return one;
}

Outcome load(Files files) {
  Outcome outcome = parse(files.sources);
  std::ranges::move(files.unreadable, std::back_inserter(outcome.diagnostics));
  if (outcome.config) check_sources(*outcome.config, outcome.diagnostics);
  std::ranges::stable_sort(outcome.diagnostics, {}, &Diagnostic::severity);
  if (has_errors(outcome.diagnostics)) outcome.config.reset();
  if (outcome.config && outcome.config->node.name.empty()) {
    outcome.config->node.name = host_name();
  }
  return outcome;
}

Outcome load(const std::string& path) { return load(read_files(path)); }

}  // namespace tribecast::config
