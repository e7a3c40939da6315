// Result<T, E>: a value or the reason why there is none. Small stand-in for std::expected, which
// the supported compilers lack. Reading the wrong side is a bug and aborts.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/check.h"

namespace tribecast {

template <class E>
struct Unexpected {
  E error;
};
template <class E>
Unexpected(E) -> Unexpected<E>;

template <class T, class E>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Unexpected<E> failure) : state_(std::in_place_index<1>, std::move(failure.error)) {}

  explicit operator bool() const { return state_.index() == 0; }

  const T& operator*() const { return value(); }
  T& operator*() { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const E& error() const {
    TC_CHECK(state_.index() == 1);
    return *std::get_if<1>(&state_);
  }

 private:
  const T& value() const {
    TC_CHECK(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }
  T& value() {
    TC_CHECK(state_.index() == 0);
    return *std::get_if<0>(&state_);
  }

  std::variant<T, E> state_;
};

// Success without a value.
struct Done {};

}  // namespace tribecast
