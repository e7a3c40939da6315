tribecast_unit_test(datagram datagram.cc LINK tribecast_packet)
tribecast_unit_test(reassembly reassembly.cc LINK tribecast_packet)
