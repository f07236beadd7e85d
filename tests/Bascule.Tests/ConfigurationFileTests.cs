using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Bascule.Core.Config;
using Bascule.Core.Model;
using Bascule.Core.Scheduling;

namespace Bascule.Tests;

public sealed class ConfigurationFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Reads_and_checks_a_file()
    {
        string file = Write("virtualServers: { db: { address: 192.0.2.10:5432, realServers: [10.0.0.11] } }");

        CheckedConfiguration read = ConfigurationFile.Load(file);

        Assert.Empty(read.Problems);
        Assert.Equal("db", Assert.Single(read.Meant!.VirtualServers).Name);
    }

    [Fact]
    public void Two_directors_with_the_same_peer_key_hash_flows_alike_and_with_another_key_otherwise()
    {
        FlowHashKey first = FlowHashKeyOf("director-1", "director-2", Digits);
        FlowHashKey second = FlowHashKeyOf("director-2", "director-1", Digits);
        FlowHashKey stranger = FlowHashKeyOf("director-2", "director-1", Digits.Replace('0', '1'));

        Assert.Equal(first, second);
        Assert.NotEqual(first, stranger);
    }

    [Fact]
    public void The_proxy_hashes_with_the_key_that_two_directors_share()
    {
        Configuration meant = ConfigurationFile.LoadToRun(Pair("director-1", "director-2", Digits)).Meant!;
        Configuration unshared = meant with { Packets = meant.Packets! with { HashKey = null } };

        Assert.NotEqual(Choices(unshared), Choices(meant));
        Assert.Equal(Choices(ConfigurationFile.LoadToRun(Pair("director-2", "director-1", Digits)).Meant!), Choices(meant));
    }

    [Fact]
    public void A_hash_key_that_is_written_is_taken_in_place_of_the_shared_one()
    {
        string file = Pair("director-1", "director-2", Digits);
        File.WriteAllText(file, File.ReadAllText(file).Replace("interfaces: [lo]", $"interfaces: [lo], hashKey: {Digits}", StringComparison.Ordinal));

        HashKeySource? source = ConfigurationFile.LoadToRun(file).Meant!.Packets!.HashKey;

        Assert.Equal(FlowHashKey.From(Convert.FromHexString(Digits)), Assert.IsType<GivenHashKey>(source).Key);
    }

    [Fact]
    public void A_shared_key_that_cannot_be_read_is_no_key_and_is_warned_of()
    {
        string file = Pair("director-1", "director-2", Digits);
        File.Delete(KeyFile);

        CheckedConfiguration read = ConfigurationFile.LoadToRun(file);

        Assert.Equal("director-2", Assert.IsType<SharedHashKey>(read.Meant!.Packets!.HashKey).Peer);
        Assert.Contains(read.Warnings, w => w.What.Contains(KeyFile, StringComparison.Ordinal));
    }

    private const string Digits = "0123456789abcdef0123456789abcdef";

    private string KeyFile => Path.Combine(_folder, "ha.key");

    private FlowHashKey FlowHashKeyOf(string node, string peer, string key) =>
        Assert.IsType<GivenHashKey>(ConfigurationFile.LoadToRun(Pair(node, peer, key)).Meant!.Packets!.HashKey).Key;

    /// <summary>The file of one director of two, with the key in a file beside it.</summary>
    private string Pair(string node, string peer, string key)
    {
        File.WriteAllText(KeyFile, key);
        File.SetUnixFileMode(KeyFile, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return Write($$"""
            node: {{node}}
            packets: { interfaces: [lo] }
            ha:
              peers: { {{peer}}: { addresses: [10.0.0.2, 10.1.0.2], key: { file: {{KeyFile}} } } }
              instances: { web-vip: { interface: lo, virtualRouterId: 51, priority: 150, addresses: [192.0.2.10/24] } }
            virtualServers: { web: { address: 192.0.2.10:80, scheduler: mh, realServers: [10.0.0.11, 10.0.0.12] } }
            """);
    }

    /// <summary>Which real servers the proxy gives a hundred clients.</summary>
    private static string Choices(Configuration meant)
    {
        Snapshot snapshot = Snapshot.First(meant with { VirtualServers = [meant.VirtualServers[0] with { Check = null }] }, 1, new(TimeProvider.System));
        LiveVirtualServer web = snapshot.VirtualServers[0];
        return string.Concat(Enumerable.Range(1, 100).Select(i => web.Scheduler.Pick(ClientAddress.Of(new(new IPAddress([10, 9, 8, (byte)i]), 1)), default, new Random(1))));
    }

    [Fact]
    public void Says_that_a_file_is_missing() => Assert.StartsWith("FILE:1:1: there is no such file (", OnlyProblem(Path.Combine(_folder, "missing.yaml")));

    [Fact]
    public void Says_that_a_folder_of_the_path_is_missing() => Assert.StartsWith("FILE:1:1: there is no such file (", OnlyProblem(Path.Combine(_folder, "no", "missing.yaml")));

    [Fact]
    public void Says_that_no_path_is_no_file() => Assert.StartsWith("FILE:1:1: the file cannot be read", OnlyProblem(""));

    [Fact]
    public void Says_that_a_folder_is_no_file() => Assert.StartsWith("FILE:1:1: this is a folder (", OnlyProblem(_folder));

    [Theory]
    [InlineData("/dev/zero")]
    [InlineData("/dev/null")]
    public void Says_that_a_device_is_no_file(string device) => Assert.StartsWith("FILE:1:1: this is a device, not a file (", OnlyProblem(device));

    [Fact]
    public void Does_not_wait_for_a_pipe()
    {
        string pipe = Path.Combine(_folder, "pipe");
        using Process make = Process.Start("mkfifo", pipe);
        make.WaitForExit();

        Assert.StartsWith("FILE:1:1: this is a pipe, not a file (", OnlyProblem(pipe));
    }

    [Fact]
    public void Says_that_a_socket_is_no_file()
    {
        string path = Path.Combine(_folder, "socket");
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));

        Assert.StartsWith("FILE:1:1: this is a socket, not a file (", OnlyProblem(path));
    }

    [Fact]
    public void Refuses_fifty_megabytes_without_reading_them_all()
    {
        string file = Path.Combine(_folder, "large.yaml");
        using (FileStream stream = File.Create(file))
            stream.SetLength(50_000_000); // sparse: nothing is written
        long before = GC.GetAllocatedBytesForCurrentThread();

        string problem = OnlyProblem(file);

        Assert.StartsWith("FILE:1:1: the file is larger than 4 MiB (", problem);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 6_000_000);
    }

    [Fact]
    public void Reads_a_file_whose_length_the_kernel_does_not_tell()
    {
        CheckedConfiguration read = ConfigurationFile.Load("/proc/self/status");

        Assert.NotEmpty(read.Problems);
        Assert.DoesNotContain(read.Problems, p => p.What.Contains("cannot be read", StringComparison.Ordinal) || p.What.Contains("nothing in the file", StringComparison.Ordinal));
    }

    [Fact]
    public void Says_that_the_user_may_not_read_a_file()
    {
        string file = Write("workers: 1");
        File.SetUnixFileMode(file, UnixFileMode.None);

        string problem = OnlyProblem(file);

        // Root may read everything; then what is wrong is that the file has no virtual servers.
        Assert.StartsWith(Environment.IsPrivilegedProcess ? "FILE:1:1: `virtualServers` is missing from the file" : "FILE:1:1: this user may not read the file (", problem);
    }

    private string Write(string text)
    {
        string file = Path.Combine(_folder, "bascule.yaml");
        File.WriteAllText(file, text);
        return file;
    }

    private static string OnlyProblem(string path)
    {
        CheckedConfiguration read = ConfigurationFile.Load(path);

        Assert.Null(read.Meant);
        return Assert.Single(read.Problems).Format("FILE");
    }
}
