#pragma once
// Where a place of the sandbox's network is found by a socket.

#include <arpa/inet.h>

#include "harness/sandbox/network.h"

namespace consistory {

inline sockaddr_in socket_address(Place place, unsigned short port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  inet_pton(AF_INET, Network::address_of(place).c_str(), &address.sin_addr);
  return address;
}

}  // namespace consistory
