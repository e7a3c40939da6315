// Reads a Java serialization stream into a Graph. Without recursion: depth costs memory, never
// stack.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/java/graph.h"

namespace tribecast::java {

// What a stream may cost. The tables of a graph take at most kMemoryFactor bytes for a byte of the
// stream while it is read, whatever it holds.
struct Limits {
  std::size_t bytes = 256U << 20U;  // at most kMaxStreamBytes
  std::size_t handles = 16U << 20U;
  std::size_t items = 64U << 20U;  // of all contents together, nulls and repetitions too
  std::size_t depth = 10'000;      // values inside values
  std::size_t class_levels = 200;  // super classes above one another
  // How often a stream that makes no sense is read anew, supposing that one more class does not
  // write its fields first. The specification wants that of a writeObject method, but nothing
  // enforces it, and a stream does not say what a class did.
  std::size_t guesses = 16;
};

inline constexpr std::size_t kMemoryFactor = 40;

enum class Reason : std::uint8_t {
  too_large,            // more bytes than the limit
  too_many_handles,     // more values than the limit, or more of what they hold
  too_deep,             // nested deeper than the limit, or more super classes
  bad_header,           // not a stream of version 5
  truncated,            // ends inside a value, or a length goes beyond the end
  unexpected_code,      // a type code that cannot stand there
  bad_handle,           // a reference to nothing, or to what cannot stand there
  bad_length,           // a negative length
  bad_text,             // not modified UTF-8
  bad_class,            // a value without a class, flags or fields that Java refuses
  unfinished_class,     // a class used, or its own super class, before its descriptor ends
  old_externalizable,   // written with protocol version 1: nobody can tell where it ends
  misplaced_exception,  // a failed writer's mark in a descriptor or in such a mark
};

// `too_deep`; for logs and counters.
std::string_view name_of(Reason reason);

struct ParseError {
  Reason reason{};
  std::size_t at = 0;  // bytes before the value that is wrong
};

// The graph borrows `stream`.
Result<Graph, ParseError> parse(Bytes stream, const Limits& limits = {});

}  // namespace tribecast::java
