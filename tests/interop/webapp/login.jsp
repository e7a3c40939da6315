<%-- What FORM authentication shows to whom it does not know: nothing but that. --%><%@ page session="false"
    contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true" %><%
  out.print("login=" + (request.getParameter("failed") == null ? "please" : "wrong") + "\n");
%>
