#include "engine/channel/domain_filter.h"

#include <utility>

namespace tribecast::channel {

void DomainFilter::send(const Context& /*context*/, const tribes::Identity& /*to*/, Message message,
                        Messages& out) {
  out.push_back(std::move(message));
}

void DomainFilter::receive(const Context& context, Message message, Messages& out) {
  if (!same(message.sender.domain, domain_)) return context.drops.count(Drop::foreign_domain);
  out.push_back(std::move(message));
}

}  // namespace tribecast::channel
