#pragma once
// The relay ground: every link between two nodes, and where asked between clients and nodes, leads
// through a TCP relay in the controller. A link is directed: what flows from `from` to `to`, on
// connections opened by either of them. Cutting it holds those bytes back where they are; healing
// lets them go on. Bytes are never dropped out of a stream; a connection that one end gave up while
// its bytes were held is closed after the heal. Works without privileges everywhere.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"
#include "nemesis/controls.h"

namespace consistory {

/// Thread-safe. Runs on a thread of its own until destroyed.
class Relay final : public LinkControl {
 public:
  /// `target_ports[i]` is where node i+1 listens on 127.0.0.1. With `carry_clients`, clients get
  /// links of their own.
  static Result<std::unique_ptr<Relay>> start(const std::vector<unsigned short>& target_ports,
                                              bool carry_clients);
  ~Relay() override;

  /// Where `from` finds `to` on 127.0.0.1.
  unsigned short port(Place from, Place to) const;

  Status cut(Place from, Place to) override;
  Status heal(Place from, Place to) override;
  LinkCounters counters(Place from, Place to) const override;
  bool carries_clients() const override { return carry_clients_; }

 private:
  class Engine;
  Relay(std::unique_ptr<Engine> engine, bool carry_clients);

  std::unique_ptr<Engine> engine_;
  bool carry_clients_;
};

/// Free ports of 127.0.0.1, kept taken until this object goes, so that nothing else is given them.
class ReservedPorts {
 public:
  ReservedPorts();
  ~ReservedPorts();
  Result<unsigned short> take();

 private:
  class Sockets;
  std::unique_ptr<Sockets> sockets_;
};

/// A port of 127.0.0.1 that is free now.
Result<unsigned short> free_port();
/// Is this port of 127.0.0.1 free?
bool port_is_free(unsigned short port);

}  // namespace consistory
