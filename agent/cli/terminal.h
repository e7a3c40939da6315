// Standard input, output and error of the tool.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/client.h"
#include "cli/command.h"
#include "control/human.h"

namespace tribecast::cli {

// Writes to standard output at once. False when nobody reads any more (a closed pipe): not an
// error, but a reason to stop.
bool print(std::string_view text);
// Standard input up to its end, or as much as there is room for; how much it was. Leaves no copy.
std::size_t read_input(char* room, std::size_t size);
// True when writing failed for another reason than a closed pipe.
bool output_failed();

// `tribecast: TEXT` on standard error; returns the code.
Exit complain(const control::Failure& failure);
Exit complain_usage(const UsageError& error);

// The main file of an agent that was not told another.
inline constexpr const char* kDefaultFile = "/etc/tribecast/tribecast.conf";

// By --color, NO_COLOR, TERM, and whether standard output is a terminal that shows UTF-8.
control::Style style_of(const Invocation& in);
Client client_of(const Invocation& in);

// Now, for generated_at.
std::string timestamp();

}  // namespace tribecast::cli
