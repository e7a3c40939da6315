<%--
  A session with values of many types, one of them of a class of the application (shop.Basket, compiled by the tests).
    fill=N        put them there, made from this number
  Answer: one line for each attribute, its type and its text; "session=" when there is none.
--%><%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true"
    import="java.util.*" %><%
  HttpSession session = request.getSession(request.getParameter("fill") != null);
  if (session == null) {
    out.print("session=\n");
    return;
  }
  out.print("session=" + session.getId() + "\n");
  if (request.getParameter("fill") != null) {
    int number = Integer.parseInt(request.getParameter("fill"));
    session.setAttribute("name", "Zoë " + number);
    session.setAttribute("count", number);
    session.setAttribute("long", number * 10_000_000_000L);
    session.setAttribute("double", number / 3.0);
    session.setAttribute("since", new Date(number * 1000L));
    session.setAttribute("list", new ArrayList<>(List.of("a", number, List.of("nested"))));
    session.setAttribute("map", new TreeMap<>(Map.of("key", number, "other", new int[0].length)));
    session.setAttribute("basket", new shop.Basket(number));
  }
  for (String name : new TreeSet<>(Collections.list(session.getAttributeNames()))) {
    Object value = session.getAttribute(name);
    out.print("attribute." + name + "=" + value.getClass().getName() + " " + value + "\n");
  }
%>
