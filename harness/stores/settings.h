#pragma once
// What every store's file uses: its settings, looked at and checked, and waiting for a cluster.

#include <functional>
#include <string>
#include <vector>

#include "harness/stores/store.h"

namespace consistory {

/// A usage error names the setting that is unknown or has a value that it cannot have.
Status check_settings(std::string_view store, const StoreSettings& given,
                      const std::vector<StoreSetting>& known);

/// What was given last, or the fallback.
std::string setting(const StoreSettings& given, std::string_view name, std::string fallback);

/// As words of the command line.
std::vector<std::string> words_of(const StoreSettings& settings);

/// "a,b": both.
std::vector<std::string> parts_of(const std::string& text);

/// The words of a command, between spaces.
std::vector<std::string> words_in(const std::string& text);

/// The whole of it is a number.
std::optional<int> as_number(const std::string& text);

/// Polls until it is so; a store error that says what was waited for if that takes too long.
Status await(std::string_view what, Nanos timeout, const std::function<bool()>& is_so);

/// The first word with a dot among digits that the program prints ("3.4.23"); "?" if none.
std::string version_of(std::string_view program, const std::string& argument);

}  // namespace consistory
