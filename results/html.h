#pragma once
// The shell that every page shares: one offline file, no scripts, a content security policy that
// forbids everything but its own style. Text goes in through escape_html only (`Html::text`).

#include <string>
#include <string_view>

#include "base/escape.h"

namespace consistory {

/// Builds escaped HTML. tag() and raw() take literals of ours only; text() takes anything.
class Html {
 public:
  Html& raw(std::string_view markup) {
    out_ += markup;
    return *this;
  }
  Html& text(std::string_view anything) {
    out_ += escape_html(anything);
    return *this;
  }
  /// <name>text</name>; `name` may carry attributes: element("td class=\"ok\"", …).
  Html& element(std::string_view name, std::string_view anything);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string html_page(std::string_view title, std::string_view body);

/// A CSS class for a verdict or overall word, and the sign shown beside it, so that colour is never
/// the only difference.
std::string_view sign_of(std::string_view word);

}  // namespace consistory
