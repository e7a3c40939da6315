<%--
  Counts the requests of a visitor in his session, which it makes when there is none. It takes no parameters because
  httpd repeats a request whose node died under it only when it has no query. Answer: as session.jsp.
--%><%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true" %><%
  HttpSession session = request.getSession();
  Integer before = (Integer) session.getAttribute("count");
  int count = before == null ? 1 : before + 1;
  session.setAttribute("count", count);
  out.print("session=" + session.getId() + "\nattribute.count=" + count + "\n");
%>
