// What a serialization stream begins with, without reading on: cheap for a value of any size.
#pragma once

#include <string>

#include "base/bytes.h"

namespace tribecast::java {

// The class of the first value, as in its descriptor: `java.util.HashMap`, `[B`; `java.lang.String`
// for a text, `null` for none, `(proxy)` for a dynamic proxy, `(block data)`; empty when the bytes
// are no stream or are cut.
std::string class_at_head(Bytes stream);

}  // namespace tribecast::java
