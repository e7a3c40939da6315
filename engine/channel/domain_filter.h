// DomainFilterInterceptor: messages of members of another domain go no further.
#pragma once

#include "engine/channel/interceptor.h"

namespace tribecast::channel {

class DomainFilter : public Interceptor {
 public:
  explicit DomainFilter(Buffer domain) : domain_(std::move(domain)) {}

  void send(const Context& context, const tribes::Identity& to, Message message,
            Messages& out) override;
  void receive(const Context& context, Message message, Messages& out) override;

 private:
  Buffer domain_;
};

}  // namespace tribecast::channel
