// The edge: everything that owns a descriptor or waits. One thread runs one Loop; every object of
// io and host belongs to that thread, and its callbacks are called from Loop::run only, never from
// inside the call that registers them unless its header says so. The Loop outlives them all. After
// an object's destruction none of its callbacks is called again. Readable and DeadlineTimer may be
// destroyed from inside their own callback, other objects must not be.
#pragma once

namespace boost::asio {
class io_context;
}

namespace tribecast::io {

using Loop = boost::asio::io_context;

}  // namespace tribecast::io
