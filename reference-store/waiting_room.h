#pragma once
// Requests of clients that have seen more than this node holds. They wait until it holds as much,
// and are refused as `behind`, surely without effect, when their time is over.

#include <functional>
#include <list>
#include <utility>

#include "reference-store/protocol.h"

namespace refstore {

class WaitingRoom {
 public:
  void admit(const Request& request, Millis deadline) { waiting_.push_back({request, deadline}); }

  /// Takes out, in the order in which they came, the requests that `ready` lets go.
  std::list<Request> take(const std::function<bool(const Request&)>& ready) {
    std::list<Request> taken;
    for (auto at = waiting_.begin(); at != waiting_.end();) {
      const auto here = at++;
      if (!ready(here->request)) continue;
      taken.push_back(std::move(here->request));
      waiting_.erase(here);
    }
    return taken;
  }

  void refuse_late(Millis now, Output& out) {
    std::erase_if(waiting_, [&](const Waiting& waiting) {
      const bool late = waiting.deadline <= now;
      if (late) out.replies.push_back({waiting.request.id, Response::failed("behind")});
      return late;
    });
  }

  std::size_t size() const { return waiting_.size(); }

 private:
  struct Waiting {
    Request request;
    Millis deadline = 0;
  };
  std::list<Waiting> waiting_;
};

}  // namespace refstore
