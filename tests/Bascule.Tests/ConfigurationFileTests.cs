using System.Diagnostics;
using System.Net.Sockets;
using Bascule.Core.Config;

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
