#include "app/cli/vary_argument.h"

#include <set>

#include "engine/base/error.h"

namespace convoy::cli {

CLI::Option* add_vary_option(CLI::App& command, std::vector<std::string>& texts,
                             const std::string& does) {
  return command
      .add_option("--vary", texts,
                  does +
                      " for each value: link.bandwidth_mbps=10,100,1000, "
                      "distribution.overlap=true,false, network.kernels=[50,500],[150,800]; may "
                      "come again, for all combinations")
      ->type_name("path=v1,v2,...")
      ->allow_extra_args(false);
}

std::vector<Variation> parse_variations(const std::vector<std::string>& texts) {
  std::vector<Variation> variations;
  std::set<std::string> paths;
  for (const std::string& text : texts) {
    variations.push_back(parse_variation(text));
    if (!paths.insert(variations.back().path).second)
      throw Error(ErrorKind::kUsage, "", "\"" + variations.back().path + "\" is varied twice");
  }
  return variations;
}

std::vector<std::string> paths_of(const std::vector<Variation>& variations) {
  std::vector<std::string> paths;
  for (const Variation& variation : variations) paths.push_back(variation.path);
  return paths;
}

}  // namespace convoy::cli
