#include "engine/session/principal.h"

#include "engine/java/parse.h"

namespace tribecast::session {
namespace {

const std::string kText = "Ljava/lang/String;";

const java::Shape kOldPrincipal = {
    {.name = "org.apache.catalina.ha.session.SerializablePrincipal",
     .uid = 1,
     .fields = {{'L', "name", kText},
                {'L', "password", kText},
                {'[', "roles", "[Ljava/lang/String;"},
                {'L', "userPrincipal", "Ljava/security/Principal;"}}}};
const java::Shape kTexts = {{.name = "[Ljava.lang.String;", .uid = 0xadd256e7e91d7b47}};

// What is longer has no such form: Tomcat could not have written it either.
Bytes short_text(Bytes text) { return text.size() <= UINT16_MAX ? text : Bytes{}; }

void put_text_if(java::Writer& out, bool there, Bytes text) {
  out.boolean(there);
  if (there) out.utf(text);
}

// The texts of a String[]; what is none of them is empty.
std::vector<Bytes> texts_of(const java::Graph& graph, java::Item item) {
  std::vector<Bytes> texts;
  if (!item.is(java::ItemKind::node)) return texts;
  const java::NodeId id = item.node();
  if (graph.node(id).kind != java::NodeKind::array) return texts;
  for (const java::Item element : graph.items(id).subspan(2)) {
    texts.push_back(java::text_of_string(graph, element).value_or(Bytes{}));
  }
  return texts;
}

}  // namespace

std::optional<Value> read_old_principal(const java::Graph& graph, java::ContentReader& in) {
  java::Writer out;
  out.object(kOldPrincipal);
  out.string(in.utf());
  if (in.boolean()) {
    out.string(in.utf());
  } else {
    out.null();
  }
  std::vector<Buffer> roles;
  const std::uint32_t count = in.u32();
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) roles.push_back(in.utf());
  out.array(kTexts, static_cast<std::uint32_t>(roles.size()));
  for (const Buffer& role : roles) out.string(role);
  const bool has_user = in.boolean();
  const java::Item user = has_user ? in.object() : java::Item::of(java::ItemKind::null);
  if (!in.ok()) return std::nullopt;
  java::Copy(out, graph).put(graph.is_broken(user) ? java::Item::of(java::ItemKind::null) : user);
  return out.release();
}

void write_old_principal(java::Writer& out, Bytes value) {
  const auto graph = java::parse(value);
  const java::Item null = java::Item::of(java::ItemKind::null);
  const auto field = [&](std::string_view name) {
    if (!graph || graph->roots().size() != 1) return null;
    const java::Item root = graph->roots()[0];
    if (java::class_name_of(*graph, root).empty()) return null;
    const auto found = java::field_of(*graph, root.node(), name);
    return found ? found->value : null;
  };
  const auto text = [&](std::string_view name) {
    return graph ? java::text_of_string(*graph, field(name)) : std::nullopt;
  };
  out.utf(short_text(text("name").value_or(Bytes{})));
  const auto password = text("password");
  put_text_if(out, password.has_value(), short_text(password.value_or(Bytes{})));
  const auto roles = graph ? texts_of(*graph, field("roles")) : std::vector<Bytes>{};
  out.u32(static_cast<std::uint32_t>(roles.size()));
  for (const Bytes role : roles) out.utf(short_text(role));
  const java::Item user = field("userPrincipal");
  out.boolean(!user.is(java::ItemKind::null));
  if (!user.is(java::ItemKind::null)) java::Copy(out, *graph, java::Classes::shared).put(user);
}

}  // namespace tribecast::session
