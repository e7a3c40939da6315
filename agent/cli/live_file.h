// A file of the configuration that appears or goes at once, and can be put back.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/descriptor.h"
#include "control/reply.h"

namespace tribecast::cli {

// One tool at a time changes the files beside a main file; gone with the object.
class FilesLock {
 public:
  // Waits at most ten seconds for another tool.
  static Result<std::unique_ptr<FilesLock>, control::Failure> take(const std::string& main_file);

 private:
  explicit FilesLock(int descriptor) : descriptor_(descriptor) {}

  Descriptor descriptor_;
};

// A change of one file, on disk when it was made: written beside its place, then renamed.
class FileChange {
 public:
  // Makes the directory too. A file that is there already is an error.
  static Result<FileChange, control::Failure> write(const std::string& path,
                                                    const std::string& text);
  // The file that is there, with its mode and owner. No symbolic link: its place would be taken.
  static Result<FileChange, control::Failure> replace(const std::string& path,
                                                      std::string_view text);
  static Result<FileChange, control::Failure> remove(const std::string& path);

  // As it was before.
  Result<Done, control::Failure> put_back() const;
  // It stays so.
  void keep() const;

 private:
  FileChange(std::string path, std::string aside, std::string new_directory)
      : path_(std::move(path)),
        aside_(std::move(aside)),
        new_directory_(std::move(new_directory)) {}

  std::string path_;
  std::string aside_;          // where the file before waits; empty when there was none
  std::string new_directory_;  // empty when it was there before
};

}  // namespace tribecast::cli
