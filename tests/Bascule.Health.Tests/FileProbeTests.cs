using System.Net;
using Bascule.Core.Model;
using Bascule.Testing;

namespace Bascule.Health.Tests;

public sealed class FileProbeTests : IDisposable
{
    private static readonly IPEndPoint RealServer = IPEndPoint.Parse("10.0.0.11:8080");

    private readonly WorkFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("", "the file is there", null)]
    [InlineData("in service\n", "the file is there", null)]
    [InlineData("7\n", "weight 7", 7)]
    [InlineData("0", "weight 0", 0)]
    [InlineData("65535", "weight 65535", 65535)]
    [InlineData("65536", "the file is there", null)]
    [InlineData("-1", "the file is there", null)]
    public async Task A_file_that_is_there_is_up_and_a_number_in_it_is_the_weight(string content, string why, int? weight)
    {
        _folder.Write("10.0.0.11-8080", content);

        Verdict verdict = await Ask.OnceAsync(Check, RealServer);

        Assert.Equal((true, why, weight), (verdict.Passed, verdict.Why, verdict.Weight?.Value));
    }

    [Fact]
    public async Task A_file_that_is_gone_is_down() => Assert.Equal($"down: {_folder.Name}/10.0.0.11-8080 is not there", await Ask.WhyAsync(Check, RealServer));

    [Fact]
    public async Task A_file_that_is_none_is_the_director_s_own_trouble() =>
        Assert.Equal("not asked: /dev/zero is not a file", await Ask.WhyAsync(new FileCheck { Path = "/dev/zero" }, RealServer));

    private FileCheck Check => new() { Path = $"{_folder.Name}/{{address}}-{{port}}" };
}
