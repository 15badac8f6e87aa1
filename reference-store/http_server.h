#pragma once
// The HTTP surface of a node (PROTOCOL.md): clients, peers and the runner speak to the same port.

#include <memory>

#include "reference-store/net.h"
#include "reference-store/node.h"

namespace refstore {

class HttpServer {
 public:
  /// Binds at once; throws boost::system::system_error if the address is taken.
  HttpServer(asio::io_context& context, const tcp::endpoint& address, Node& node);

 private:
  void accept();

  Node& node_;
  tcp::acceptor acceptor_;
};

}  // namespace refstore
