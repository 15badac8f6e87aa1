#include "results/html.h"

namespace consistory {
namespace {

constexpr std::string_view kStyle = R"(
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--page:#fff;
--ok:#005a8c;--bad:#a63603;--open:#7a5200;--band:#f6e3c5}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9da7b1;--line:#3d444d;
--page:#0d1117;--ok:#58b2f0;--bad:#ff9a5c;--open:#e3b341;--band:#4a3a1c}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:72rem;
margin:0 auto;padding:1rem}
h1{font-size:1.5rem}
h2{margin-top:2.2rem;font-size:1.2rem;border-bottom:1px solid var(--line)}
h3{font-size:1rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
.scroll{overflow-x:auto}
.how{color:var(--soft)}
code,pre{font:14px/1.4 ui-monospace,monospace}
pre{border:1px solid var(--line);padding:.6rem;overflow-x:auto;white-space:pre-wrap;
overflow-wrap:anywhere}
td.violated,td.holds,td.inconclusive,td.not-checked{white-space:nowrap}
.violated,.store-failed{color:var(--bad);font-weight:600}
.holds{color:var(--ok)}
.inconclusive,.not-checked,.interrupted,.environment{color:var(--open)}
svg text{font:12px ui-monospace,monospace;fill:var(--ink)}
svg .lane{stroke:var(--line)}
svg .box{fill:var(--page);stroke:var(--ok);stroke-width:1.5}
svg .info{stroke-dasharray:5 3;stroke:var(--open)}
svg .bad{stroke:var(--bad);stroke-width:2.5}
svg .band{fill:var(--band)}
svg .soft{fill:var(--soft)}
svg .arrow{stroke:var(--soft);fill:none}
svg .lost{stroke-dasharray:3 3}
svg .why{stroke:var(--bad);fill:none}
svg marker path{fill:var(--bad)}
)";

}  // namespace

Html& Html::element(std::string_view name, std::string_view anything) {
  raw("<").raw(name).raw(">").text(anything);
  return raw("</").raw(name.substr(0, name.find(' '))).raw(">");
}

std::string html_page(std::string_view title, std::string_view body) {
  Html page;
  page.raw(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">");
  page.element("title", title).raw("<style>").raw(kStyle).raw("</style></head><body><main>\n");
  page.raw(body).raw("</main></body></html>\n");
  return page.take();
}

std::string_view sign_of(std::string_view word) {
  if (word == "holds") return "✓";
  if (word == "violated") return "✗";
  if (word == "not-checked") return "–";
  return "?";
}

}  // namespace consistory
