#pragma once
// Whom clients say they are at endpoints that others started: from the environment, so that no
// password is in a command, a report or a file of ours.

#include <string>

namespace consistory {

struct Login {
  std::string user;           ///< $CONSISTORY_USER; empty: none
  std::string password;       ///< $CONSISTORY_PASSWORD
  std::string authorization;  ///< $CONSISTORY_AUTHORIZATION: the header for stores that speak HTTP
};

/// Empty until use_login_of_environment(): nodes that we start ask for none.
const Login& login();
/// Before any client is made.
void use_login_of_environment();

}  // namespace consistory
