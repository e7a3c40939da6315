tribecast_unit_test(capture_filter capture_filter.cc LINK tribecast_host)
tribecast_unit_test(igmp igmp.cc LINK tribecast_host)
tribecast_unit_test(sock_diag sock_diag.cc LINK tribecast_host)
