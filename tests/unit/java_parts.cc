// Takes the stream of a file apart and puts it together in other ways, for a JVM to read.
// usage: java_parts STREAM FOLDER. Writes there: whole, the stream again; 0, 1, ... each value that
// stands at the top level, alone; joined, all of them once more, last first, each copied from its
// own stream, with classes shared.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "engine/java/parse.h"
#include "engine/java/write.h"

using namespace tribecast;

namespace {

void save(const std::string& path, Bytes bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(view_of(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

bool take_apart(Bytes stream, const std::string& folder) {
  const auto graph = java::parse(stream);
  if (!graph) {
    const std::string reason(java::name_of(graph.error().reason));
    std::fprintf(stderr, "refused at byte %zu: %s\n", graph.error().at, reason.c_str());
    return false;
  }
  save(folder + "/whole", java::write(*graph));
  std::vector<Buffer> parts;
  for (const java::Item root : graph->roots()) parts.push_back(java::write_part(*graph, root));
  java::Writer joined;
  for (std::size_t i = parts.size(); i > 0; --i) {
    save(folder + "/" + std::to_string(i - 1), parts[i - 1]);
    const auto part = java::parse(parts[i - 1]);
    if (!part) return false;
    java::Copy(joined, *part, java::Classes::shared).put(part->roots()[0]);
  }
  save(folder + "/joined", joined.release());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s STREAM FOLDER\n", argv[0]);
    return 2;
  }
  std::ifstream in(argv[1], std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return take_apart(bytes_of(text), argv[2]) ? 0 : 1;
}
