tribecast_unit_test(io io.cc LINK tribecast_io)
tribecast_unit_test(port_probe port_probe.cc LINK tribecast_io)
