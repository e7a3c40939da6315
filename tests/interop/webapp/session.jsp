<%--
  The session as a visitor sees it. Without parameters the page only looks and never creates a session.
    create        make a session if the visitor has none
    set=NAME&to=V write an attribute
    timeout=S     let it end after S seconds
    logout        end it now
  Answer: one name=value a line; "session" is empty when there is none; "user" is who is logged in, if somebody is.
--%><%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true"
    import="java.util.Enumeration" %><%
  HttpSession session = request.getSession(request.getParameter("create") != null);
  if (session == null) {
    out.print("session=\n");
    return;
  }
  out.print("session=" + session.getId() + "\n");
  if (request.getParameter("logout") != null) {
    session.invalidate();
    return;
  }
  if (request.getParameter("timeout") != null) {
    session.setMaxInactiveInterval(Integer.parseInt(request.getParameter("timeout")));
  }
  if (request.getParameter("set") != null) {
    session.setAttribute(request.getParameter("set"), request.getParameter("to"));
  }
  if (request.getRemoteUser() != null) {
    out.print("user=" + request.getRemoteUser() + "\n");
  }
  Enumeration<String> names = session.getAttributeNames();
  while (names.hasMoreElements()) {
    String name = names.nextElement();
    out.print("attribute." + name + "=" + session.getAttribute(name) + "\n");
  }
%>
