#include "vpcsim/router.h"

#include <boost/asio/io_context.hpp>
#include <type_traits>
#include <utility>

#include "base/check.h"
#include "io/clock.h"
#include "vpcsim/report.h"

namespace tribecast::vpcsim {

Router::Router(io::Loop& loop, Model model, std::vector<Tun> tuns, std::unique_ptr<Tap> tap)
    : model_(std::move(model)),
      tuns_(std::move(tuns)),
      tap_(std::move(tap)),
      timer_(loop,
             [this] {
               deliver_due(io::now());
               end_batch();
             }),
      end_(loop, [&loop] { loop.stop(); }) {
  TC_CHECK(tuns_.size() == model_.hosts().size());
  for (HostId id = 0; id < tuns_.size(); ++id) {
    names_.push_back(model_.hosts()[id].name);
    readables_.push_back(
        std::make_unique<io::Readable>(loop, tuns_[id].fd(), [this, id] { on_readable(id); }));
  }
}

void Router::on_readable(HostId from) {
  const Instant now = io::now();
  deliver_due(now);
  for (int n = 0; n < kBatch; ++n) {
    const auto packet = tuns_[from].read(buffer_);
    if (!packet) break;
    on_packet(now, from, *packet);
  }
  end_batch();
}

void Router::on_packet(Instant now, HostId from, MutableBytes packet) {
  const Verdict verdict = model_.on_packet(now, from, packet);
  for (std::size_t i = 0; i < verdict.copies; ++i) {
    if (verdict.at.at(i) <= now) {
      deliver(from, verdict.to, packet);
    } else if (!queue_.push({verdict.at.at(i), from, verdict.to, copy_of(packet)})) {
      model_.count_dropped(from, verdict.to, Drop::queue_full);
    }
  }
}

void Router::deliver(HostId from, HostId to, Bytes packet) {
  if (!tuns_[to].write(packet)) {
    model_.count_dropped(from, to, Drop::refused);
    return;
  }
  model_.count_delivered(from, to);
  if (!tap_) return;
  if (stamp_ == Duration::zero()) stamp_ = io::wall_clock();
  tap_->write(stamp_, packet);
}

void Router::deliver_due(Instant now) {
  while (queue_.next() <= now) {
    const Delivery delivery = queue_.pop();
    deliver(delivery.from, delivery.to, delivery.packet);
  }
}

void Router::end_batch() {
  timer_.arm(queue_.next());
  if (!tap_ || stamp_ == Duration::zero()) return;
  stamp_ = Duration::zero();
  if (tap_->flush()) return;
  std::fprintf(stderr, "vpcsim: the tap cannot be written, it ends here\n");
  tap_.reset();
}

std::string Router::answer(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto command = parse_command(line, names_);
  return (command ? carry_out(*command) : "error: " + command.error()) + "\n";
}

std::string Router::carry_out(const Command& command) {
  return std::visit(
      [this](const auto& c) -> std::string {
        using T = std::decay_t<decltype(c)>;
        if constexpr (std::is_same_v<T, Counters>) {
          return counters_json(model_, queue_.size());
        } else if constexpr (std::is_same_v<T, Quit>) {
          end_.arm(io::now() + kFarewell);
        } else if constexpr (std::is_same_v<T, Set> || std::is_same_v<T, Rule>) {
          const auto done = model_.apply(c);
          if (!done) return "error: " + done.error();
        } else {
          model_.apply(c);
        }
        return "ok";
      },
      command);
}

}  // namespace tribecast::vpcsim
