#include "harness/clients/login.h"

#include <cstdlib>

namespace consistory {
namespace {

Login& the_login() {
  static Login login;
  return login;
}

std::string from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

const Login& login() { return the_login(); }

void use_login_of_environment() {
  the_login() = {from_environment("CONSISTORY_USER"), from_environment("CONSISTORY_PASSWORD"),
                 from_environment("CONSISTORY_AUTHORIZATION")};
}

}  // namespace consistory
