// The vendor's multicast proxy to our configuration: pure.
#pragma once

#include <string>
#include <vector>

#include "control/aliyun.h"

namespace tribecast::cli {

struct ImportFile {
  std::string name;
  control::aliyun::File file;
};

struct Import {
  std::string text;                   // configuration text, with a comment for each warning
  std::vector<std::string> warnings;  // what has no counterpart, or needs a look
};

// Groups and peers of all files together. What a file only sends or only receives goes both ways
// here; a peer that is not in every group names its groups.
Import import_aliyun(const std::vector<ImportFile>& files);

}  // namespace tribecast::cli
