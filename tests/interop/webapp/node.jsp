<%--
  This Tomcat as it sees itself, without touching any session.
  Answer: "ready", then one line "member=HOST:PORT" for each other member that its cluster lists, one line
  "held.CONTEXT=ID" for each session that this node holds, and one line "shared.NAME=VALUE" for each application
  attribute that was set with ?share=NAME&to=VALUE.
--%><%@ page session="false" contentType="text/plain; charset=UTF-8" trimDirectiveWhitespaces="true"
    import="java.lang.management.ManagementFactory, java.util.*, javax.management.*, org.apache.catalina.Host,
    org.apache.catalina.ha.CatalinaCluster, org.apache.catalina.tribes.Member" %><%!
  static String address(Member member) throws java.net.UnknownHostException {
    return java.net.InetAddress.getByAddress(member.getHost()).getHostAddress() + ":" + member.getPort();
  }

  /** BackupManager lists its primaries only, unless asked for all. */
  static Collection<?> held(MBeanServer beans, ObjectName manager) throws JMException {
    if (((String) beans.getAttribute(manager, "className")).endsWith("BackupManager")) {
      return (Collection<?>) beans.invoke(manager, "getSessionIdsFull", null, null);
    }
    String ids = ((String) beans.invoke(manager, "listSessionIds", null, null)).trim();
    return ids.isEmpty() ? List.of() : List.of(ids.split("\\s+"));
  }
%><%
  MBeanServer beans = ManagementFactory.getPlatformMBeanServer();
  out.print("ready\n");
  Host host = (Host) beans.getAttribute(new ObjectName("Catalina:type=Host,host=localhost"), "managedResource");
  for (Member member : ((CatalinaCluster) host.getCluster()).getMembers()) {
    out.print("member=" + address(member) + "\n");
  }
  for (ObjectName manager : beans.queryNames(new ObjectName("Catalina:type=Manager,host=localhost,*"), null)) {
    for (Object id : held(beans, manager)) {
      out.print("held." + manager.getKeyProperty("context") + "=" + id + "\n");
    }
  }
  if (request.getParameter("share") != null) {
    application.setAttribute("shared." + request.getParameter("share"), request.getParameter("to"));
  }
  for (String name : Collections.list(application.getAttributeNames())) {
    if (name.startsWith("shared.")) {
      out.print(name + "=" + application.getAttribute(name) + "\n");
    }
  }
%>
