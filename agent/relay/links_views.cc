// Roll calls: the question for every peer's view, and the answer to others' questions.
#include <algorithm>

#include "base/check.h"
#include "relay/links.h"

namespace tribecast::relay {
namespace {

// So many parts of our view a peer gets, and that often: a whole one at once, then what was lost.
constexpr Flow kViewFlow{static_cast<double>(kMaxViewParts), static_cast<double>(kMaxViewParts)};

}  // namespace

// --- asking --------------------------------------------------------------------------------------

void Links::call_roll(Instant now, Duration time, Actions& out) {
  if (roll_call_ends_ != kNever) return;
  roll_call_ends_ = now + time;
  collected_bytes_ = 0;
  for (const auto& link : links_) {
    link->view.reset();
    if (is_live(now, *link) && !link->goodbye) link->view.emplace();
  }
  ask_views(now, out);
}

void Links::ask_views(Instant now, Actions& out) {
  bool waiting = false;
  for (const auto& link : links_) {
    if (!link->view || link->view->answer() == ViewAnswer::whole || !link->current) continue;
    waiting = true;
    if (now >= roll_call_ends_) break;
    Frames frames;
    frames.view_question = link->view->question();
    send_frames(*link, *link->current, frames, out);
  }
  if (!waiting || now >= roll_call_ends_) return end_roll_call(now, out);
  next_question_ = std::min(now + kViewQuestionInterval, roll_call_ends_);
}

void Links::on_view_part(Instant now, Link& link, const ViewPart& part, Actions& out) {
  if (!link.view || link.view->answer() == ViewAnswer::whole) return;
  if (collected_bytes_ + part.bytes.size() > kMaxRollCallBytes) {
    return refuse(&link, Reason::table_full);
  }
  collected_bytes_ += static_cast<std::size_t>(link.view->add(now, part));
  const bool over = std::ranges::all_of(links_, [](const auto& other) {
    return !other->view || other->view->answer() == ViewAnswer::whole;
  });
  if (over) end_roll_call(now, out);
}

void Links::end_roll_call(Instant now, Actions& out) {
  roll_call_ends_ = next_question_ = kNever;
  out.roll_call.emplace();
  for (const auto& link : links_) {
    if (link->is_self() || link->settings.agentless) continue;
    PeerView peer{link->settings.name, ViewAnswer::no_session, {}, {}};
    if (link->view) peer.answer = link->view->answer();
    if (peer.answer == ViewAnswer::whole) {
      peer.bytes = link->view->bytes();
      peer.age = link->view->age(now);
    }
    link->view.reset();
    out.roll_call->push_back(std::move(peer));
  }
}

// --- answering -----------------------------------------------------------------------------------

void Links::set_view(Instant now, Buffer view) {
  TC_CHECK(!view.empty() && view.size() <= kMaxViewBytes);
  view_ = View{now, std::move(view)};
}

void Links::on_view_question(Instant now, Link& link, const ViewQuestion& question, Actions& out) {
  if (!link.current) return;
  const bool fresh = view_ && now - view_->made < kViewFresh;
  if (!fresh) {
    out.view_wanted = true;
    view_.reset();
    return send_view_part(now, link, 0, out);
  }
  for (std::size_t part = 0; part < view_->parts(); ++part) {
    if (question.missing[part]) send_view_part(now, link, part, out);
  }
}

// Without a view: that it is being made.
void Links::send_view_part(Instant now, Link& link, std::size_t part, Actions& out) {
  if (!link.view_rate.take(now, kViewFlow)) return refuse(&link, Reason::rate_limited);
  ViewPart answer;
  if (view_) {
    const Bytes bytes = view_->part(part);
    answer.made = stamp_of(view_->made);
    answer.age_ms =
        static_cast<std::uint32_t>(duration_cast<milliseconds>(now - view_->made).count());
    answer.part = static_cast<std::uint8_t>(part);
    answer.parts = static_cast<std::uint8_t>(view_->parts());
    answer.bytes = copy_of(bytes);
  }
  Frames frames;
  frames.view_part = std::move(answer);
  send_frames(link, *link.current, frames, out);
}

}  // namespace tribecast::relay
