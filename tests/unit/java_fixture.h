// The Java streams under vectors/java, by version and name.
#pragma once

#include <map>
#include <string>

#include "base/bytes.h"
#include "engine/java/parse.h"
#include "vectors.h"

namespace tribecast::test {

// Every version's stream (`10.1.60/jser/bean.bin`), and the file with its bytes.
inline const std::map<std::string, std::string>& java_index() {
  static const auto index = [] {
    std::map<std::string, std::string> files;
    for (const auto& line : vector_lines("java/index.txt")) files.emplace(line.at(0), line.at(1));
    return files;
  }();
  return index;
}

inline Buffer java_stream(const std::string& name) {
  return vector_bytes("java/" + java_index().at(name));
}

// The graph of a stream that must parse; borrows it.
inline java::Graph graph_of(Bytes stream) {
  auto graph = java::parse(stream);
  if (!graph) {
    throw std::runtime_error("refused: " + std::string(java::name_of(graph.error().reason)) +
                             " at " + std::to_string(graph.error().at));
  }
  return std::move(*graph);
}

}  // namespace tribecast::test
