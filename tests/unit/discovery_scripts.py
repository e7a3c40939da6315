#!/usr/bin/env python3
"""The scripts that ask clouds for peers: their signatures against published examples, and what they
make of recorded answers. No network. usage: discovery_scripts.py FOLDER_OF_THE_SCRIPTS"""
import argparse
import datetime
import importlib.machinery
import importlib.util
import pathlib
import sys
import unittest
import urllib.parse

VECTORS = pathlib.Path(__file__).parent / "vectors" / "discovery"
SCRIPTS = pathlib.Path(sys.argv.pop(1))


def load(name):
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader(name.replace("-", "_"), str(SCRIPTS / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


AWS = load("aws-ec2-tags")
ALIYUN = load("aliyun-ecs-tags")


class Aws(unittest.TestCase):
    def test_signature_of_the_published_suite(self):
        """aws-sig-v4-test-suite, post-x-www-form-urlencoded."""
        headers = AWS.signed_headers(
            "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "", "service", "us-east-1",
            "https://example.amazonaws.com/", b"Param1=value1",
            datetime.datetime(2015, 8, 30, 12, 36))
        self.assertEqual(
            headers["authorization"],
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date, Signature="
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a")

    def test_signature_with_a_session_token(self):
        """As another implementation makes it."""
        body = AWS.query([("cluster", "shop"), ("a b", "c/d")], "vpc-1", "tok=")
        headers = AWS.signed_headers(
            "AKID", "se/cr+et", "TOKEN/abc+=", "ec2", "eu-west-1",
            "https://ec2.eu-west-1.amazonaws.com/", body, datetime.datetime(2015, 8, 30, 12, 36))
        self.assertTrue(headers["authorization"].endswith(
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature="
            "30b603fc2b461ed66e1d3124d1d449ec2448ce50e91a0434c6c5b398a31cfd18"))

    def test_query(self):
        fields = dict(urllib.parse.parse_qsl(AWS.query([("cluster", "shop")], None, "").decode()))
        self.assertEqual(fields["Filter.1.Name"], "tag:cluster")
        self.assertEqual(fields["Filter.1.Value.1"], "shop")
        self.assertEqual(fields["Filter.2.Name"], "instance-state-name")
        self.assertNotIn("NextToken", fields)

    def test_recorded_answer(self):
        peers, page = AWS.instances((VECTORS / "ec2-1.xml").read_text())
        self.assertEqual(peers, [{"name": "i-0aaaaaaaaaaaaaaa1", "address": "10.91.0.2",
                                  "site": "eu-west-1a"}])
        self.assertEqual(page, "next/page+1=")
        peers, page = AWS.instances((VECTORS / "ec2-2.xml").read_text())
        self.assertEqual([p["address"] for p in peers], ["10.92.0.2"])
        self.assertEqual(page, "")

    def test_no_answer(self):
        with self.assertRaises(AWS.Failure):
            AWS.instances("<html>")


class Aliyun(unittest.TestCase):
    def test_signature_of_the_documentation(self):
        """ECS API reference, "Signature": DescribeRegions with testid and testsecret."""
        query = ALIYUN.signed_query(
            {"Timestamp": "2016-02-23T12:46:24Z", "Format": "XML", "AccessKeyId": "testid",
             "Action": "DescribeRegions", "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0",
             "SignatureNonce": "3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf", "Version": "2014-05-26"},
            "testsecret")
        self.assertTrue(query.endswith("&Signature=OLeaidS1JvxuMvnyHOwuJ%2BuX5qY%3D"), query)

    def test_query(self):
        options = argparse.Namespace(tags=[("cluster", "a b")], vpc="vpc-1")
        keys = {"AccessKeyId": "id", "AccessKeySecret": "secret", "SecurityToken": "to/ken="}
        text = ALIYUN.query(options, "cn-hangzhou", keys, "page", datetime.datetime(2026, 1, 2), "n")
        self.assertIn("Tag.1.Value=a%20b", text)
        self.assertIn("SecurityToken=to%2Fken%3D", text)
        fields = dict(urllib.parse.parse_qsl(text))
        self.assertEqual(fields["Timestamp"], "2026-01-02T00:00:00Z")
        self.assertEqual((fields["VpcId"], fields["NextToken"]), ("vpc-1", "page"))

    def test_recorded_answer(self):
        peers, page = ALIYUN.instances((VECTORS / "ecs-1.json").read_text())
        self.assertEqual(peers, [{"name": "i-bp67acfmxazb4p001", "address": "10.91.0.2",
                                  "site": "cn-hangzhou-g"}])
        self.assertEqual(page, "caeba0bbb2be03f84eb48b699f0a4883")
        peers, page = ALIYUN.instances((VECTORS / "ecs-2.json").read_text())
        self.assertEqual([p["address"] for p in peers], ["10.92.0.2"])
        self.assertEqual(page, "")


if __name__ == "__main__":
    unittest.main()
