// tcpdump's filter language, compiled by the libpcap of the system. The library is opened only when a person gives an
// expression, and is not linked: its name differs between distributions.
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

namespace tunnelscope {

struct CompiledFilter {
  std::vector<sock_filter> program;
  // libpcap's own words when the expression is wrong.
  std::string error;
  // No libpcap on this system.
  bool missing = false;
};

// `link_type`: DLT_* of libpcap.
CompiledFilter CompileFilter(const std::string& expression, int link_type);

}  // namespace tunnelscope
