tribecast_unit_test(member member.cc LINK tribecast_tribes)
