// What theory says of each configuration. A class names the strongest models that are guaranteed
// (what they imply is guaranteed too) and the weakest that can be violated (what implies them can
// be violated too), each with one line of why. What is left can neither be promised nor be seen to
// break. Sources: the papers that the protocols come from, and MODELS §3 and §4 for the steps from
// a protocol's order of updates to the models.
//
// Three arguments recur:
// - one log: a copy is a prefix of one log, so a read is explained by a place in it;
// - creation: updates have an order in which they were made, it extends what every session did and
//   read, and on registers a read alone can be put right behind its source in it;
// - merging: a list merged by version may get an element in its midst, which no single sequence of
//   appends explains.
#include "harness/stores/truth_rows.h"

namespace consistory {
namespace {

using Reasons = std::vector<TruthReason>;

const std::vector<std::string> kFaults = {"partition", "kill", "pause"};

// Loads under which weaknesses show: slow links, so that nodes differ for long; few keys, so that
// sessions meet; many reads, so that they see the difference.
const std::vector<std::string> kSlow = {"--link-delay", "4"};
const std::vector<std::string> kBusy = {"--link-delay", "20",   "--keys",        "3",
                                        "--rate",       "1000", "--concurrency", "20"};
const std::vector<std::string> kHeldKeys = {"--link-delay",  "20",   "--keys",       "8",
                                            "--rate",        "4000", "--read-ratio", "0.9",
                                            "--concurrency", "40"};
const std::vector<std::string> kReading = {"--link-delay", "40",   "--keys",       "2",
                                           "--rate",       "4000", "--read-ratio", "0.93"};
const std::vector<std::string> kGossip = {"--keys", "2", "--rate", "4000", "--read-ratio", "0.9"};

/// The same with a bridge between two groups most of the time: an update waits for a node that
/// others still reach.
std::vector<std::string> bridged(std::vector<std::string> load) {
  load.insert(load.end(), {"--fault", "partition:bridge,partition:bridge,partition:bridge",
                           "--fault-every", "1s", "--fault-for", "600ms"});
  return load;
}

constexpr const char* kLog =
    "one log decides, it is durable before anything is answered, and a "
    "read is served by who decides";
constexpr const char* kSettles = "anti-entropy or the log brings every copy to the same state";
constexpr const char* kCopyLags = "a copy lags behind what was answered elsewhere";

// What several configurations share.

TruthClass linearizable_class(unsigned where) {
  return {where, {{{"linearizable"}, kLog}, {{"strong-eventual"}, kSettles}}, {}};
}

/// A copy is a prefix of one log, and holds all that was answered to anybody.
const TruthClass kPrefixPinned = {
    kPinned | kAnyKey,
    {{{"sequential"},
      "the copy of a session's node is a prefix of the log that only grows, and "
      "holds the session's updates before they are answered"},
     {{"strong-eventual"}, kSettles}},
    {{{"linearizable"}, "a copy may show an update before or after another copy does"}}};

const TruthClass kPrefixMoving = {
    kMoving | kAnyKey,
    {{{"monotonic-writes+read-your-writes+writes-follow-reads", "monotonic-writes-view",
       "read-your-writes-view", "writes-follow-reads-view"},
      "every copy is a prefix of one log, and holds what the session wrote before it was answered"},
     {{"strong-eventual"}, kSettles}},
    {{{"monotonic-reads", "monotonic-reads-view", "weak-causal", "pram", "cache"},
      "a session moves to a node that has not got the update that it just read"}}};

/// A copy is a prefix of one log, and may lack what was answered.
const TruthClass kLaggingPinned = {
    kPinned | kAnyKey,
    {{{"monotonic-reads+monotonic-writes+writes-follow-reads", "monotonic-reads-view",
       "monotonic-writes-view", "writes-follow-reads-view"},
      "the copy of a session's node is a prefix of the log that only grows"},
     {{"strong-eventual"}, kSettles}},
    {{{"read-your-writes", "read-your-writes-view", "weak-causal", "pram", "cache"},
      "an update is answered before the session's own node holds it"}}};

const TruthClass kLaggingMoving = {
    kMoving | kAnyKey,
    {{{"monotonic-writes+writes-follow-reads", "monotonic-writes-view", "writes-follow-reads-view"},
      "every copy is a prefix of one log"},
     {{"strong-eventual"}, kSettles}},
    {{{"monotonic-reads", "read-your-writes", "monotonic-reads-view", "read-your-writes-view",
       "weak-causal", "pram", "cache"},
      "a session moves to a node that is behind"}}};

/// A log for each key, and every answered update everywhere.
const TruthClass kPerKeyPinned = {
    kPinned | kAnyKey,
    {{{"pram", "sessions", "cache"},
      "a session's update is everywhere before its next one is made, and its node's copy only "
      "grows"},
     {{"monotonic-writes+writes-follow-reads", "writes-follow-reads-view"},
      "each key is a prefix of its log, and the order in which updates are made extends all logs"},
     {{"strong-eventual"}, kSettles}},
    {{{"linearizable"}, "a copy may show an update before or after another copy does"},
     {{"monotonic-reads+writes-follow-reads", "weak-causal"},
      "what follows a read travels in another log and overtakes what was read"}}};

const TruthClass kPerKeyMoving = {
    kMoving | kAnyKey,
    {{{"monotonic-writes+read-your-writes"},
      "a session's update is everywhere before it is answered"},
     {{"monotonic-writes+writes-follow-reads", "monotonic-writes-view", "writes-follow-reads-view"},
      "each key is a prefix of its log, and the order in which updates are made extends all logs"},
     {{"strong-eventual"}, kSettles}},
    {{{"monotonic-reads", "monotonic-reads-view", "read-your-writes-view", "weak-causal", "pram",
       "cache"},
      "a session moves to a node that has not got the update that it just read"}}};

/// A log for each key, and copies that lag, each key on its own.
const TruthClass kPerKeyLaggingPinned = {
    kPinned | kAnyKey,
    {{{"monotonic-reads", "monotonic-reads-view"}, "the copy of a session's node only grows"},
     {{"monotonic-writes+writes-follow-reads", "monotonic-writes-view", "writes-follow-reads-view"},
      "each key is a prefix of its log, and the order in which updates are made extends all logs"},
     {{"strong-eventual"}, kSettles}},
    {{{"read-your-writes", "read-your-writes-view", "cache"},
      "an update is answered before the session's own node holds it"},
     {{"monotonic-reads+monotonic-writes", "monotonic-reads+writes-follow-reads", "pram",
       "weak-causal"},
      "keys overtake each other"}}};

const TruthClass kPerKeyLaggingMoving = {
    kMoving | kAnyKey,
    {{{"monotonic-writes+writes-follow-reads", "monotonic-writes-view", "writes-follow-reads-view"},
      "each key is a prefix of its log, and the order in which updates are made extends all logs"},
     {{"strong-eventual"}, kSettles}},
    {{{"monotonic-reads", "read-your-writes", "monotonic-reads-view", "read-your-writes-view",
       "weak-causal", "pram", "cache"},
      "a session moves to a node that is behind"}}};

/// Causal with one order of versions: vector clocks with tokens, or all four session guarantees.
TruthClass converging_registers(unsigned sessions) {
  return {sessions | kRegisters,
          {{{"causal-convergence"},
            "what a session has seen is applied wherever it reads, with all that it rests on, and "
            "versions extend that order"},
           {{"cache", "monotonic-reads-view", "monotonic-writes-view", "read-your-writes-view",
             "writes-follow-reads-view"},
            "on registers, causal convergence gives each key one order that sessions follow"},
           {{"strong-eventual"}, kSettles}},
          {{{"sequential"}, "two nodes accept updates at once, and each reads before it hears"},
           {{"pram"},
            "a late update with a lower version does not show, as if it had come before "
            "what a session did without it"}}};
}

TruthClass converging_lists(unsigned sessions) {
  return {sessions | kLists,
          {{{"causal-convergence"},
            "what a session has seen is applied wherever it reads, with all that it rests on, and "
            "versions extend that order"},
           {{"strong-eventual"}, kSettles}},
          {{{"sequential"}, "two nodes accept updates at once, and each reads before it hears"},
           {{"pram", "cache", "monotonic-reads-view", "monotonic-writes-view",
             "read-your-writes-view", "writes-follow-reads-view"},
            "a late element goes into the midst of a list that was read without it"}}};
}

/// Lists merged by version: what can be violated by merging alone.
const TruthReason kMergedLists = {
    {"monotonic-reads-view", "monotonic-writes-view", "read-your-writes-view",
     "writes-follow-reads-view", "pram", "cache"},
    "a late element goes into the midst of a list that was read without it"};

TruthReason moved(std::vector<std::string> models) {
  return {std::move(models), "a session moves to a node that has not got what it read or wrote"};
}

TruthReason unordered(std::vector<std::string> models) {
  return {std::move(models), "updates travel one by one and overtake what they rest on"};
}

// The rows.

std::vector<TruthRow> primary_rows() {
  const std::string source = "Budhiraja et al. 1993; Tanenbaum, van Steen §7.5";
  const auto row = [&](std::string name, StoreSettings settings, std::vector<std::string> load,
                       std::vector<TruthClass> classes, std::vector<std::string> in_turn = {}) {
    settings.insert(settings.begin(), {"protocol", "primary"});
    return TruthRow{std::move(name), std::move(settings), source,     kFaults,
                    std::move(load), std::move(classes),  "register", std::move(in_turn)};
  };
  const auto one = [](const char* propagation, const char* read_from) {
    return StoreSettings{
        {"primary", "single"}, {"propagation", propagation}, {"read-from", read_from}};
  };
  const auto many = [](const char* propagation, const char* read_from) {
    return StoreSettings{
        {"primary", "per-key"}, {"propagation", propagation}, {"read-from", read_from}};
  };
  const std::vector<TruthClass> at_primary = {linearizable_class(kAnySession | kAnyKey)};
  const std::vector<TruthClass> lagging = {kLaggingPinned, kLaggingMoving};
  const std::vector<TruthClass> per_key_lagging = {kPerKeyLaggingPinned, kPerKeyLaggingMoving};
  return {
      row("primary, sync, reads at the primary", one("sync", "primary"), {}, at_primary),
      row("primary, majority, reads at the primary", one("majority", "primary"), {}, at_primary),
      row("primary, async, reads at the primary", one("async", "primary"), {}, at_primary),
      row("primary, sync, local reads", one("sync", "local"), kBusy,
          {kPrefixPinned, kPrefixMoving}),
      row("primary, majority, local reads", one("majority", "local"), kBusy, lagging),
      row("primary, async, local reads", one("async", "local"), kBusy, lagging),
      row("primary per key, sync, reads at the primary", many("sync", "primary"), {}, at_primary),
      row("primary per key, majority, reads at the primary", many("majority", "primary"), {},
          at_primary),
      row("primary per key, async, reads at the primary", many("async", "primary"), {}, at_primary),
      row("primary per key, sync, local reads", many("sync", "local"), kBusy,
          {kPerKeyPinned, kPerKeyMoving}, bridged(kBusy)),
      row("primary per key, majority, local reads", many("majority", "local"), kBusy,
          per_key_lagging),
      row("primary per key, async, local reads", many("async", "local"), kBusy, per_key_lagging),
  };
}

std::vector<TruthRow> local_writes_rows() {
  const std::string source = "Tanenbaum, van Steen §7.5";
  const TruthClass async_pinned = {
      kPinned | kAnyKey,
      {{{"monotonic-reads+read-your-writes", "cache", "monotonic-reads-view",
         "read-your-writes-view"},
        "a session's node updates its own copy first, and that copy only grows"},
       {{"monotonic-writes+writes-follow-reads", "monotonic-writes-view",
         "writes-follow-reads-view"},
        "each key is a prefix of its log, and the order in which updates are made extends all "
        "logs"},
       {{"strong-eventual"}, kSettles}},
      {{{"linearizable"}, kCopyLags},
       {{"monotonic-reads+monotonic-writes", "monotonic-reads+writes-follow-reads", "pram",
         "weak-causal"},
        "keys are sent on after delays of their own and overtake each other"}}};
  return {
      {"local writes, sync",
       {{"protocol", "local-writes"}, {"propagation", "sync"}},
       source,
       kFaults,
       kHeldKeys,
       {kPerKeyPinned, kPerKeyMoving},
       "register",
       bridged(kHeldKeys)},
      {"local writes, async",
       {{"protocol", "local-writes"}, {"propagation", "async"}},
       source,
       kFaults,
       {"--keys", "3", "--rate", "3000", "--read-ratio", "0.8"},
       {async_pinned, kPerKeyLaggingMoving}},
  };
}

std::vector<TruthRow> quorum_rows() {
  const TruthClass safe = {
      kAnySession | kRegisters,
      {{{"monotonic-writes+read-your-writes"},
        "quorums meet, so an operation sees every update that was answered before it began, and a "
        "later version never loses"},
       {{"strong-eventual"}, kSettles}},
      {{{"monotonic-reads", "monotonic-reads-view", "weak-causal", "pram", "cache"},
        "a value that only some nodes hold yet is seen by one read and missed by the next"},
       {{"writes-follow-reads", "read-your-writes-view"},
        "a value that only some nodes hold is read, and the next write's quorum misses it and "
        "chooses a lower version, so that the value stays"}}};
  const TruthClass unsafe = {
      kAnySession | kRegisters,
      {{{"strong-eventual"}, kSettles}},
      {{{"monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads",
         "monotonic-reads-view", "read-your-writes-view", "weak-causal", "pram", "cache"},
        "quorums need not meet: neither a read nor the choice of a version sees what was "
        "answered"}}};
  return {
      {"quorum, no write-back",
       {{"protocol", "quorum"}, {"unsafe-quorum", "off"}, {"read-write-back", "off"}},
       "Gifford 1979",
       kFaults,
       {"--link-delay", "10", "--keys", "10", "--rate", "4000", "--concurrency", "60"},
       {safe},
       "revise"},
      {"quorum, read write-back",
       {{"protocol", "quorum"}, {"unsafe-quorum", "off"}, {"read-write-back", "on"}},
       "Attiya, Bar-Noy, Dolev 1995",
       kFaults,
       kSlow,
       {linearizable_class(kAnySession | kRegisters)}},
      {"quorum, unsafe (R=1, W=1)",
       {{"protocol", "quorum"}, {"R", "1"}, {"W", "1"}, {"unsafe-quorum", "on"}},
       "Gifford 1979; Bailis et al. 2012",
       kFaults,
       {},
       {unsafe}},
  };
}

std::vector<TruthRow> causal_rows() {
  const std::string source = "Ahamad et al. 1995; Lloyd et al. 2011; Bouajjani et al. 2017";
  const TruthClass lost_registers = {
      kMoving | kRegisters,
      {{{"strong-eventual"}, kSettles}},
      {moved({"monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads",
              "monotonic-reads-view", "read-your-writes-view", "weak-causal", "pram", "cache"})}};
  const TruthClass lost_lists = {kMoving | kLists,
                                 {{{"strong-eventual"}, kSettles}},
                                 {moved({"monotonic-reads", "monotonic-writes", "read-your-writes",
                                         "writes-follow-reads", "weak-causal"}),
                                  kMergedLists}};
  const TruthReason no_order = {
      {"convergence", "read-your-writes", "monotonic-reads", "cache"},
      "nodes order concurrent updates as they arrive, each in its own way"};
  const TruthReason no_list_order = {
      {"convergence", "read-your-writes", "monotonic-reads", "monotonic-writes",
       "writes-follow-reads", "cache"},
      "nodes order concurrent appends as they arrive, so no one order explains all lists"};
  const Reasons memory = {{{"causal"},
                           "the order in which its node applied the updates explains "
                           "all that a session read"}};
  const Reasons weak = {{{"weak-causal"}, "each read is explained by its own past"}};
  const Reasons none = {{{"read-values"}, "nothing is made up"}};
  const TruthReason oscillates = {{"monotonic-reads-view", "read-your-writes-view", "pram"},
                                  "a session meets two nodes that ordered two updates differently"};
  const TruthReason oscillates_lists = {
      {"monotonic-reads-view", "monotonic-writes-view", "read-your-writes-view",
       "writes-follow-reads-view", "pram"},
      "a session meets two nodes that ordered two appends differently"};
  const TruthReason lost = moved({"weak-causal", "pram"});
  const std::vector<std::string> slow = {"--link-delay", "15", "--read-ratio", "0.7"};
  return {
      {"causal, last writer wins, tokens",
       {{"protocol", "causal"}, {"conflicts", "converge"}, {"token", "on"}},
       source,
       kFaults,
       kReading,
       {converging_registers(kAnySession), converging_lists(kAnySession)},
       "overtake"},
      {"causal, last writer wins, no tokens",
       {{"protocol", "causal"}, {"conflicts", "converge"}, {"token", "off"}},
       source,
       kFaults,
       kReading,
       {converging_registers(kPinned), converging_lists(kPinned), lost_registers, lost_lists},
       "register,overtake"},
      {"causal, order of arrival, tokens",
       {{"protocol", "causal"}, {"conflicts", "arrival"}, {"token", "on"}},
       source,
       kFaults,
       slow,
       {{kPinned | kRegisters, memory, {no_order}},
        {kPinned | kLists, memory, {no_list_order}},
        {kMoving | kRegisters, weak, {no_order, oscillates}},
        {kMoving | kLists, weak, {no_list_order, oscillates_lists}}}},
      {"causal, order of arrival, no tokens",
       {{"protocol", "causal"}, {"conflicts", "arrival"}, {"token", "off"}},
       source,
       kFaults,
       slow,
       {{kPinned | kRegisters, memory, {no_order}},
        {kPinned | kLists, memory, {no_list_order}},
        {kMoving | kRegisters, none, {no_order, oscillates, lost}},
        {kMoving | kLists, none, {no_list_order, oscillates_lists, lost}}}},
  };
}

// Eventual, with any session layer. At a pinned session's node the copy only grows.

const TruthReason kOwnCopyGrows = {{"monotonic-reads+read-your-writes"},
                                   "a session's node applies its updates at once, above all that "
                                   "it has seen, and its copy only grows"};
const TruthReason kOwnCopyRegisters = {
    {"cache", "monotonic-reads-view", "read-your-writes-view"},
    "a register only goes up in versions at a session's node, and so do the session's own updates"};
const TruthReason kVersionsFollow = {
    {"monotonic-writes+writes-follow-reads", "monotonic-writes-view", "writes-follow-reads-view"},
    "a session's update gets a version above all that its node has seen"};

std::vector<TruthClass> eventual_pinned(Reasons more, std::vector<std::string> broken_registers,
                                        std::vector<std::string> broken_lists) {
  Reasons registers = {
      kOwnCopyGrows, kOwnCopyRegisters, kVersionsFollow, {{"strong-eventual"}, kSettles}};
  Reasons lists = {kOwnCopyGrows, {{"strong-eventual"}, kSettles}};
  registers.insert(registers.end(), more.begin(), more.end());
  lists.insert(lists.end(), more.begin(), more.end());
  broken_registers.insert(broken_registers.end(), {"weak-causal", "pram"});
  broken_lists.emplace_back("weak-causal");
  return {
      {kPinned | kRegisters, registers, {{{"sequential"}, kCopyLags}, unordered(broken_registers)}},
      {kPinned | kLists, lists, {unordered(broken_lists), kMergedLists}}};
}

std::vector<TruthClass> eventual_moving(const Reasons& given, const Reasons& on_registers,
                                        const std::vector<std::string>& broken,
                                        const std::vector<std::string>& broken_registers) {
  Reasons all = given;
  all.push_back({{"strong-eventual"}, kSettles});
  Reasons registers = all;
  registers.insert(registers.end(), on_registers.begin(), on_registers.end());
  std::vector<std::string> on_registers_broken = broken;
  on_registers_broken.insert(on_registers_broken.end(), {"weak-causal", "pram", "cache"});
  on_registers_broken.insert(on_registers_broken.end(), broken_registers.begin(),
                             broken_registers.end());
  std::vector<std::string> on_lists_broken = broken;
  on_lists_broken.emplace_back("weak-causal");
  return {{kMoving | kRegisters, registers, {moved(on_registers_broken)}},
          {kMoving | kLists, all, {moved(on_lists_broken), kMergedLists}}};
}

std::vector<TruthClass> both(std::vector<TruthClass> pinned,
                             const std::vector<TruthClass>& moving) {
  pinned.insert(pinned.end(), moving.begin(), moving.end());
  return pinned;
}

std::vector<TruthRow> eventual_rows() {
  const std::string source = "Demers et al. 1987; Terry et al. 1994";
  const char* waits =
      "a node serves a session only once it holds what the guarantee asks for, and "
      "applies an update only after what it depends on";
  const auto row = [&](std::string name, const char* session, std::vector<TruthClass> classes) {
    StoreSettings settings{{"protocol", "eventual"}, {"lww", "lamport"}};
    if (*session != '\0') settings.push_back({"session", session});
    const bool all = std::string_view(session) == "mr,mw,ryw,wfr";
    return TruthRow{std::move(name),
                    std::move(settings),
                    source,
                    kFaults,
                    all ? kReading : kGossip,
                    std::move(classes),
                    all                                 ? "overtake"
                    : std::string_view(session) == "mw" ? "register,overtake"
                                                        : "register"};
  };
  const Reasons mr = {{{"monotonic-reads"}, waits}}, mw = {{{"monotonic-writes"}, waits}};
  const Reasons ryw = {{{"read-your-writes"}, waits}}, wfr = {{{"writes-follow-reads"}, waits}};
  const std::vector<std::string> three_registers = {"monotonic-reads+monotonic-writes",
                                                    "monotonic-reads+writes-follow-reads"};
  const std::vector<std::string> two_lists = {"monotonic-writes", "writes-follow-reads"};
  return {
      row("eventual", "",
          both(eventual_pinned({}, three_registers, two_lists),
               eventual_moving({}, {},
                               {"monotonic-reads", "monotonic-writes", "read-your-writes",
                                "writes-follow-reads"},
                               {"monotonic-reads-view", "read-your-writes-view"}))),
      row("eventual, session mr", "mr",
          both(eventual_pinned({}, three_registers, two_lists),
               eventual_moving(mr,
                               {{{"monotonic-reads-view"},
                                 "on registers, monotonic reads give a view of the reads"}},
                               {"monotonic-writes", "read-your-writes", "writes-follow-reads"},
                               {"read-your-writes-view"}))),
      row("eventual, session mw", "mw",
          both(eventual_pinned({{{"sessions"}, waits}}, {"monotonic-reads+writes-follow-reads"},
                               {"writes-follow-reads"}),
               eventual_moving(mw, {},
                               {"monotonic-reads", "read-your-writes", "writes-follow-reads"},
                               {"monotonic-reads-view", "read-your-writes-view"}))),
      row("eventual, session ryw", "ryw",
          both(eventual_pinned({}, three_registers, two_lists),
               eventual_moving(ryw, {},
                               {"monotonic-reads", "monotonic-writes", "writes-follow-reads"},
                               {"monotonic-reads-view", "read-your-writes-view"}))),
      row("eventual, session wfr", "wfr",
          both(eventual_pinned({{{"monotonic-reads+writes-follow-reads"}, waits}},
                               {"monotonic-reads+monotonic-writes"}, {"monotonic-writes"}),
               eventual_moving(wfr, {}, {"monotonic-reads", "monotonic-writes", "read-your-writes"},
                               {"monotonic-reads-view", "read-your-writes-view"}))),
      row("eventual, all session guarantees", "mr,mw,ryw,wfr",
          {converging_registers(kAnySession), converging_lists(kAnySession)}),
      {"eventual, wall clock",
       {{"protocol", "eventual"}, {"lww", "wall"}},
       source,
       {"clock:skew"},
       {"--keys", "2", "--rate", "2000", "--fault-every", "1300ms", "--fault-for", "1s"},
       both({{kPinned | kRegisters,
              {{{"monotonic-reads+read-your-writes", "monotonic-writes", "monotonic-reads-view"},
                "a register only goes up in time stamps at a session's node, and so do that "
                "node's own"},
               {{"strong-eventual"}, kSettles}},
              {{{"writes-follow-reads", "read-your-writes-view", "cache"},
                "a clock that is behind stamps an update below what the session saw"},
               unordered({"weak-causal", "pram", "monotonic-reads+monotonic-writes"})}},
             {kPinned | kLists,
              {{{"monotonic-reads+read-your-writes"}, "a node's list only grows"},
               {{"strong-eventual"}, kSettles}},
              {unordered({"monotonic-writes", "writes-follow-reads", "weak-causal"}),
               kMergedLists}}},
            eventual_moving(
                {}, {},
                {"monotonic-reads", "monotonic-writes", "read-your-writes", "writes-follow-reads"},
                {"monotonic-reads-view", "read-your-writes-view"}))},
  };
}

std::vector<TruthRow> layered_primary_rows() {
  const std::string source = "Terry et al. 1994";
  const auto row = [&](std::string name, const char* session, std::vector<TruthClass> classes) {
    return TruthRow{std::move(name),
                    {{"protocol", "primary"},
                     {"primary", "single"},
                     {"propagation", "async"},
                     {"read-from", "local"},
                     {"session", session}},
                    source,
                    kFaults,
                    kBusy,
                    std::move(classes)};
  };
  TruthClass mr_moving = kLaggingPinned;
  mr_moving.where = kMoving | kAnyKey;
  TruthClass all_moving = kPrefixPinned;
  all_moving.where = kAnySession | kAnyKey;
  return {
      row("primary, async, local reads, session mr", "mr", {kLaggingPinned, mr_moving}),
      row("primary, async, local reads, session ryw", "ryw", {kPrefixPinned, kPrefixMoving}),
      row("primary, async, local reads, all session guarantees", "mr,mw,ryw,wfr", {all_moving}),
  };
}

std::vector<TruthRow> raft_rows() {
  const auto row = [](std::string name, const char* reads, std::vector<std::string> load,
                      std::vector<TruthClass> classes) {
    return TruthRow{std::move(name),
                    {{"protocol", "raft"}, {"reads", reads}},
                    "Ongaro, Ousterhout 2014; Ongaro 2014 §6.4",
                    kFaults,
                    std::move(load),
                    std::move(classes)};
  };
  TruthClass local = kLaggingMoving;
  local.where = kAnySession | kAnyKey;
  local.violable = {{{"read-your-writes", "read-your-writes-view", "weak-causal", "pram", "cache"},
                     "an update is answered before the session's own node has applied it"},
                    {{"monotonic-reads", "monotonic-reads-view"},
                     "a session moves to a node that is behind, or its node starts again from its "
                     "snapshot"}};
  const std::vector<TruthClass> top = {linearizable_class(kAnySession | kAnyKey)};
  std::vector<TruthRow> rows = {row("raft, reads by log", "log", {}, top),
                                row("raft, reads by index", "index", {}, top),
                                row("raft, reads by lease", "lease", {}, top),
                                row("raft, local reads", "local",
                                    {"--link-delay", "4", "--fault", "kill,partition"}, {local})};
  rows.back().in_turn = {"--link-delay",  "4",     "--fault",     "kill,kill,kill",
                         "--fault-every", "900ms", "--fault-for", "100ms"};
  return rows;
}

}  // namespace

const std::vector<TruthRow>& truth_rows() {
  static const std::vector<TruthRow> rows = [] {
    std::vector<TruthRow> all;
    for (auto* part : {layered_primary_rows, primary_rows, local_writes_rows, quorum_rows,
                       causal_rows, eventual_rows, raft_rows}) {
      for (TruthRow& row : part()) all.push_back(std::move(row));
    }
    return all;
  }();
  return rows;
}

}  // namespace consistory
