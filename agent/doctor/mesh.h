// Which agents there are, and who says what of whom: the answers of a roll call put together. Each
// agent calls its peers as its own configuration does, so another agent is recognised by the
// instance that it tells, else by its address, else by its name.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "doctor/facts.h"

namespace tribecast::doctor {

struct MeshNode {
  std::string name;                     // as it calls itself; while it does not answer as others do
  const AskedAgent* asked = nullptr;    // nullptr: not known to the agent that called
  const control::View* view = nullptr;  // nullptr: it did not answer
  std::map<std::size_t, const control::Peer*> sights;  // what it says of the nodes of these numbers
};

// Borrows from the facts; the first node is the agent that called.
class Mesh {
 public:
  explicit Mesh(const std::vector<AskedAgent>& asked);

  [[nodiscard]] const std::vector<MeshNode>& nodes() const { return nodes_; }
  // nullptr: it did not answer, or has no such peer.
  [[nodiscard]] const control::Peer* sight(std::size_t from, std::size_t of) const;
  // Whether what `from` sends reaches `to`, as either of them says. True while nobody denies it.
  [[nodiscard]] bool reaches(std::size_t from, std::size_t to) const;
  // The node behind a peer as `from` calls it; the number of nodes when there is none.
  [[nodiscard]] std::size_t find(std::size_t from, const std::string& peer) const;

 private:
  void add_asked(const std::vector<AskedAgent>& asked);
  void learn_endpoints(const std::vector<AskedAgent>& asked);
  [[nodiscard]] std::size_t resolve(const control::Peer& peer);

  std::vector<MeshNode> nodes_;
  std::map<std::string, std::size_t> by_instance_;
  std::map<std::string, std::size_t> by_endpoint_;
  std::map<std::string, std::size_t> by_name_;
};

// A member as all agents know it.
struct MeshMember {
  std::string name;  // `10.0.0.1:4000`
  std::string group;
  std::size_t home = 0;  // the node whose local member it is; the number of nodes when not known
  std::vector<std::size_t> seen_at;
  std::vector<std::size_t> missing_at;                 // that have the group, and should see it
  std::vector<std::pair<std::size_t, Outcome>> ports;  // tried from there
};

// Members that are there, at home or somewhere.
std::vector<MeshMember> members_of(const Mesh& mesh);

}  // namespace tribecast::doctor
